// A token in a file: written whole, replaced before it ends, and gone with the program that it was for.

import { readdirSync, readFileSync, statSync, watch } from "node:fs";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { desk, provider } from "./harness.ts";

const lifetimeSeconds = 8;

test("--write writes it once, without a word, and --keep replaces it before it ends", async () => {
  const at = await desk();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: lifetimeSeconds });
  const folder = join(at.home, "tokens");
  mkdirSync(folder);
  const path = join(folder, "token");
  const flags = [...at.flags(identityProvider), "--offline-access"];
  const written = await at.run(["token", ...flags, "--write", path]);
  expect([written.code, written.stdout]).toEqual([0, ""]);
  const first = readFileSync(path, "utf8");
  const printed = await at.run(["token", ...flags]);
  expect([printed.stdout, statSync(path).mode & 0o777]).toEqual([`${first}\n`, 0o600]);
  const watcher = watch(folder);
  const keeping = at.start(["token", ...flags, "--write", path, "--keep"], { timeoutMs: 50_000 });
  const seen = new Set<string>();
  try {
    while (seen.size < 3) {
      await once(watcher, "change");
      // Whole at every moment: never empty, and never a part.
      const text = readFileSync(path, "utf8");
      expect(text.length).toBe(first.length);
      seen.add(text);
    }
  } finally {
    watcher.close();
    keeping.kill("SIGTERM");
  }
  const { code, stdout } = await keeping.finished;
  expect([code, stdout]).toEqual([143, ""]);
  expect(readdirSync(folder)).toEqual(["token"]);
});

test("--keep alone is refused", async () => {
  const at = await desk();
  const { code, stderr } = await at.run([
    "token",
    "--issuer",
    "https://id.example.com",
    "--client-id",
    "x",
    "--keep",
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("Add --write FILE") as string]);
});

test("exec --file: a path, a fresh token in it while the program runs, and nothing after it", async () => {
  const at = await desk();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: lifetimeSeconds });
  const script = `
    const { readFileSync, statSync, watch } = require("node:fs");
    const path = process.env.TOKEN_FILE;
    const first = readFileSync(path, "utf8");
    const said = { path, mode: statSync(path).mode & 0o777, direct: process.env.LATCHKEY_ACCESS_TOKEN };
    watch(require("node:path").dirname(path), () => {
      const next = readFileSync(path, "utf8");
      if (next === first) return;
      console.log(JSON.stringify({ ...said, first, next }));
      process.exit(7);
    });`;
  const run = await at.run([
    "exec",
    ...at.flags(identityProvider),
    "--offline-access",
    "--file",
    "--env",
    "TOKEN_FILE",
    "--",
    process.execPath,
    "-e",
    script,
  ]);
  expect(run.code).toBe(7);
  const said = JSON.parse(run.stdout) as Record<string, string | number | undefined>;
  expect(said["mode"]).toBe(0o600);
  expect(said["direct"]).toBeUndefined();
  const issued = identityProvider.secretsIssued();
  expect([issued.includes(String(said["first"])), issued.includes(String(said["next"]))]).toEqual([
    true,
    true,
  ]);
  expect(readdirSync(join(at.home, ".local", "state", "latchkey", "exec"))).toEqual([]);
});
