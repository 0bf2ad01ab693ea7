// Hundreds of sealed sign-ins on a disk: none of it is in plain text, and all of it opens. Changes when the canary does.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encryptedFileStore } from "../../src/stores/keychain.ts";
import { exampleRecord } from "../../src/testing/example-records.ts";

const count = 400;

test("400 sealed sign-ins are written, replaced and read, and no token or key is on the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-sealed-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const key = randomBytes(32);
  const store = encryptedFileStore({ key, folder });
  const write = async (at: number): Promise<void> => {
    const record = exampleRecord(`client-${at}`, "v.1");
    await store.replace(record.key, undefined, record);
    await store.replace(record.key, "v.1", exampleRecord(`client-${at}`, "v.2"));
  };
  const numbers = Array.from({ length: count }, (_record, at) => at);
  const left = [...numbers];
  while (left.length > 0) await Promise.all(left.splice(0, 20).map(write));

  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(files.length).toBeGreaterThanOrEqual(count);
  const all = files.join("\n");
  expect(all).not.toMatch(/token-of|refresh-of|openid/);
  for (const form of ["latin1", "hex", "base64", "base64url"] as const) {
    expect(all.includes(key.toString(form))).toBe(false);
  }

  const later = encryptedFileStore({ key, folder });
  expect(await later.list()).toHaveLength(count);
  const opened = await Promise.all(
    numbers
      .filter((at) => at % 50 === 0)
      .map((at) => later.read(exampleRecord(`client-${at}`, "").key)),
  );
  expect(opened.map((record) => record?.version)).toEqual(opened.map(() => "v.2"));
});
