// Changes when what a cache file can turn out to be does.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "rolldown";
import { afterEach, beforeEach, expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import type { SessionRecord } from "./format.ts";
import { cacheFileName } from "./key.ts";
import { formatCacheFile } from "./parse.ts";
import { readCacheFileSync } from "./read-sync.ts";

const record: SessionRecord = {
  key: "key",
  version: "ab12.1",
  issuer: "https://id.example.com",
  clientId: "cli",
  tokenEndpoint: "https://id.example.com/token",
  authenticationMethod: "none",
  accessToken: null,
  signedInAt: 1_700_000_000_000,
  renewedAt: 1_700_000_000_000,
};

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-cache-"));
  path = join(folder, cacheFileName("key"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(text: string | Uint8Array): void {
  writeFileSync(path, text, { mode: 0o600 });
}

test("gives the records of a file, with the identity of what was read", () => {
  write(formatCacheFile([record]));
  const read = readCacheFileSync(path);
  expect(read).toMatchObject({ state: "records", records: [record], damaged: [] });
  expect(read.state === "records" && read.identity.size).toBe(formatCacheFile([record]).length);
});

test("tells absent, damaged and newer files apart [C08][C10]", () => {
  expect(readCacheFileSync(path)).toEqual({ state: "absent" });
  expect(readCacheFileSync(join(folder, "none", "x.json"))).toEqual({ state: "absent" });
  write("");
  expect(readCacheFileSync(path).state).toBe("damaged");
  write('{"latchkey":2}');
  expect(readCacheFileSync(path).state).toBe("newer");
  write(Uint8Array.from({ length: 5000 }, (_byte, at) => (at * 7919) & 0xff));
  expect(readCacheFileSync(path).state).toBe("damaged");
});

test("takes a file of 100 MB for damaged [C08]", () => {
  write("");
  truncateSync(path, 100 * 1024 * 1024);
  expect(readCacheFileSync(path).state).toBe("damaged");
});

test("throws for a file that others may read, whatever is in it [C02]", () => {
  write("");
  chmodSync(path, 0o640);
  let failure: unknown;
  try {
    readCacheFileSync(path);
  } catch (error) {
    failure = error;
  }
  expect(isOidcError(failure) && failure.code).toBe("cache_insecure");
});

async function bundled(): Promise<string> {
  const bundle = join(folder, "bundle.cjs");
  await build({
    input: join(import.meta.dirname, "read-sync.ts"),
    platform: "node",
    logLevel: "silent",
    output: { file: bundle, format: "cjs" },
  });
  return bundle;
}

test("does not wait for a writer where a FIFO is in place of the file [C04]", async () => {
  execFileSync("mkfifo", ["-m", "600", path]);
  const script = `
    try { require(process.argv[1]).readCacheFileSync(process.argv[2]); }
    catch (error) { process.stdout.write(error.code); }
  `;
  // In a process of its own, because a synchronous wait could not be ended from within.
  const output = execFileSync(process.execPath, ["-e", script, await bundled(), path], {
    encoding: "utf8",
    timeout: 10_000,
    killSignal: "SIGKILL",
  });
  expect(output).toBe("cache_insecure");
});

test("bundled, loads no module beyond node:fs and node:path, which Node has loaded already", async () => {
  const bundle = await bundled();
  write(formatCacheFile([record]));
  const script = `
    const before = new Set(process.moduleLoadList);
    const read = require(process.argv[1]).readCacheFileSync(process.argv[2]);
    console.log(JSON.stringify({ state: read.state, loaded: process.moduleLoadList.filter((each) => !before.has(each)) }));
  `;
  const output = execFileSync(process.execPath, ["-e", script, bundle, path], { encoding: "utf8" });
  // Loading any file at all by require brings the CommonJS loader's own parts; ours must add none to those.
  const empty = join(folder, "empty.cjs");
  writeFileSync(
    empty,
    'require("node:fs"); require("node:path"); exports.readCacheFileSync = () => ({ state: "records" });',
  );
  const floor = execFileSync(process.execPath, ["-e", script, empty, path], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual(JSON.parse(floor));
});
