// Changes when a given store promises more.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { fileStore, memoryStore } from "./stores.ts";
import { OidcAuth } from "./oidc-auth.ts";

const provider = { issuer: "https://id.example.com", clientId: "cli" };

test("a logout with fileStore() takes what a program that died while it saved has left [C13]", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "latchkey-stores-"));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  const folder = join(scratch, "private");
  mkdirSync(folder, { mode: 0o700 });
  const left = join(folder, ".tokens.json.latchkey-0123456789abcdef.tmp");
  writeFileSync(left, "a token", { mode: 0o600 });
  const before = process.env["XDG_STATE_HOME"];
  onTestFinished(() => {
    if (before === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = before;
  });
  process.env["XDG_STATE_HOME"] = join(scratch, "state");
  const auth = new OidcAuth({
    ...provider,
    store: fileStore({ path: join(folder, "tokens.json") }),
  });
  expect(await auth.logout()).toEqual({ forgotten: 0, revoked: "no" });
  expect(existsSync(left)).toBe(false);
});

test("a logout with memoryStore() has nothing to tidy", async () => {
  const auth = new OidcAuth({ ...provider, store: memoryStore() });
  expect(await auth.logout()).toEqual({ forgotten: 0, revoked: "no" });
});
