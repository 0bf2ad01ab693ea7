// A codec that seals records: the file store keeps its promises whatever is written for a record.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { createProcessLock } from "../lock/protocol.ts";
import type { RecordCodec } from "../record/codec.ts";
import { parseRecord } from "../record/parse.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { testRecordStore } from "../testing/store-suite.ts";
import { createFileStore } from "./file-store.ts";
import type { RecordStore } from "./token-store.ts";
import type { Warn } from "../core/warning.ts";

interface Sealed {
  readonly key: string;
  readonly version: string;
  readonly nonce: string;
  readonly text: string;
  readonly tag: string;
}

function sealing(secret: Uint8Array): RecordCodec {
  return {
    encode: (record) => {
      const { key, version } = record;
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(key));
      const text = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
      const [sealed, tag] = [text, cipher.getAuthTag()].map((each) => each.toString("base64"));
      return { key, version, nonce: nonce.toString("base64"), text: sealed, tag };
    },
    decode: (written) => {
      const { key, nonce, text, tag } = written as Sealed;
      try {
        const bytes = (encoded: string): Buffer => Buffer.from(encoded, "base64");
        const cipher = createDecipheriv("aes-256-gcm", secret, bytes(nonce))
          .setAAD(Buffer.from(key))
          .setAuthTag(bytes(tag));
        const opened = Buffer.concat([cipher.update(bytes(text)), cipher.final()]);
        return parseRecord(JSON.parse(opened.toString("utf8")));
      } catch {
        return undefined;
      }
    },
  };
}

function openIn(folder: string, secret: Uint8Array, onWarning?: Warn): RecordStore {
  const parts = { clock: systemClock, randomBytes, onWarning };
  const lock = createProcessLock({ folder, clock: systemClock, randomBytes });
  const codec = sealing(secret);
  return createFileStore({ ...parts, location: { kind: "folder", folder }, lock, codec });
}

function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), "latchkey-sealed-"));
}

testRecordStore({
  name: "file store with a codec that seals",
  test,
  open: () => {
    const folder = emptyFolder();
    const secret = randomBytes(32);
    return {
      store: openIn(folder, secret),
      sameStore: openIn(folder, secret),
      close: () => Promise.resolve(rmSync(folder, { recursive: true })),
    };
  },
});

test("what is sealed stands in no file, and is damaged for whoever has another secret", async () => {
  const folder = emptyFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const key = exampleKey("one");
  const record = exampleRecord("one", "a.1");
  await openIn(folder, randomBytes(32)).replace(key, undefined, record);
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  expect(files).toHaveLength(1);
  const written = files.map((name) => readFileSync(join(folder, name), "utf8")).join("");
  expect(written).toContain('"a.1"');
  expect(written).not.toMatch(/token-of|refresh-of|id\.example\.com\/token/);
  const warnings: string[] = [];
  const other = openIn(folder, randomBytes(32), (code) => warnings.push(code));
  expect(await other.read(key)).toBeUndefined();
  expect(warnings).toEqual(["cache_damaged"]);
});
