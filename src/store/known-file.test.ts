// A file that was just read is not read again before it is replaced, and never taken for what it is no more.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { createFileStore } from "./file-store.ts";
import type { TokenStore } from "./token-store.ts";

const key = exampleKey("one");
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-known-"));
  path = join(folder, "cache.json");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(): TokenStore {
  return createFileStore({
    location: { kind: "file", path },
    lock: createProcessLock({ folder, clock: systemClock, randomBytes }),
    clock: systemClock,
    randomBytes,
  });
}

test("one that another program has replaced since is read again", async () => {
  const store = open();
  await store.replace(key, undefined, exampleRecord("one", "a.1"));
  const longAgo = Date.now() / 1000 - 3600;
  utimesSync(path, longAgo, longAgo);
  expect((await store.read(key))?.version).toBe("a.1");
  await open().replace(key, "a.1", exampleRecord("one", "a.2"));
  expect(await store.replace(key, "a.2", exampleRecord("one", "a.3"))).toEqual({ replaced: true });
});

test("one that was written in the very moment is read again, because its time would not tell a second write", async () => {
  const store = open();
  await store.replace(key, undefined, exampleRecord("one", "a.1"));
  const { mtime } = statSync(path);
  utimesSync(path, mtime, mtime);
  expect((await store.read(key))?.version).toBe("a.1");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll("a.1", "a.9"));
  utimesSync(path, mtime, mtime);
  const result = await store.replace(key, "a.1", exampleRecord("one", "a.2"));
  expect(result).toEqual({ replaced: false, current: exampleRecord("one", "a.9") });
});
