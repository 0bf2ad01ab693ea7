// What the locks of a file store exclude, and what holds without them. Changes when they are taken in another way.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { ProcessLock } from "../lock/protocol.ts";
import { createProcessLock } from "../lock/protocol.ts";
import type { Lease } from "../lock/types.ts";
import { formatCacheFile } from "../record/parse.ts";
import { waiting } from "../testing/lock-suite.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { createFileLock } from "./file-lock.ts";
import type { FileStoreLocation } from "./file-store.ts";
import { createFileStore } from "./file-store.ts";
import type { TokenStore } from "./token-store.ts";

let scratch: string;
let folder: string;
let file: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-file-lock-"));
  folder = join(scratch, "state", "latchkey");
  file = join(scratch, "custom", "cache.json");
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const lockIn = (place: string): ProcessLock =>
  createProcessLock({ folder: place, clock: systemClock, randomBytes });

function open(location: FileStoreLocation, lock: ProcessLock): TokenStore {
  return createFileStore({ location, lock, clock: systemClock, randomBytes });
}

const openFile = (lock: ProcessLock): TokenStore => open({ kind: "file", path: file }, lock);

const key = exampleKey("one");

async function failureOf(work: Promise<unknown>): Promise<OidcError> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A lock that a sandbox does not allow. */
const impossibleLock: ProcessLock = {
  acquire: () => Promise.reject(new OidcError("cache_locked", "no lock here")),
  holder: () => Promise.resolve(undefined),
};

describe("without a lock across processes", () => {
  test("writes still compare, and none of this process is lost", async () => {
    const stores = Array.from({ length: 6 }, () => openFile(impossibleLock));
    await Promise.all(
      stores.map((store, at) =>
        store.replace(exampleKey(`w${at}`), undefined, exampleRecord(`w${at}`, `w${at}.1`)),
      ),
    );
    expect(await openFile(impossibleLock).list()).toHaveLength(6);
  });

  test("a file that another process writes between the look and the rename is not written over", async () => {
    const first = openFile(impossibleLock);
    await first.replace(key, undefined, exampleRecord("one", "a.1"));
    let interfered = 0;
    // The random name of the temporary file is asked for after the file was read and before it is replaced.
    const store = createFileStore({
      location: { kind: "file", path: file },
      lock: impossibleLock,
      clock: systemClock,
      randomBytes: (length) => {
        interfered += 1;
        if (interfered === 1) {
          const records = [exampleRecord("one", "a.1"), exampleRecord("two", "b.1")];
          writeFileSync(file, formatCacheFile(records), { mode: 0o600 });
        }
        return randomBytes(length);
      },
    });
    expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"))).toEqual({
      replaced: true,
    });
    expect(interfered).toBe(2);
    expect((await first.list()).map((record) => record.version).toSorted()).toEqual(["a.2", "b.1"]);
  });

  test("a file that never comes to rest is not written, and that is said", async () => {
    let count = 0;
    const store = createFileStore({
      location: { kind: "file", path: file },
      lock: impossibleLock,
      clock: systemClock,
      randomBytes: (length) => {
        count += 1;
        writeFileSync(file, formatCacheFile([exampleRecord("two", `b.${"1".repeat(count)}`)]), {
          mode: 0o600,
        });
        return randomBytes(length);
      },
    });
    const failure = await failureOf(store.replace(key, undefined, exampleRecord("one", "a.1")));
    expect(failure).toMatchObject({ code: "cache_write_failed", reason: "changed_meanwhile" });
    expect(readdirSync(join(scratch, "custom"))).toEqual(["cache.json"]);
  });
});

test("one folder reached by two names is one lock", async () => {
  const lock = lockIn(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  symlinkSync(folder, join(scratch, "link"));
  const lease = await open({ kind: "folder", folder }, lock).acquire(key, waiting());
  if (!lease.held) throw new Error("held");
  const linked = open({ kind: "folder", folder: join(scratch, "link") }, lock);
  const taken = await new Promise<string>((resolve, reject) => {
    linked
      .acquire(key, waiting({ onWaiting: () => resolve("waits") }))
      .then((each) => resolve(each.held ? "took it" : "waited"), reject);
  });
  expect(taken).toBe("waits");
  await lease.abandon();
});

test("two cache files in one folder are two locks", async () => {
  const lock = lockIn(folder);
  const one = await openFile(lock).acquire(key, waiting());
  const two = await open(
    { kind: "file", path: join(scratch, "custom", "other.json") },
    lock,
  ).acquire(key, waiting());
  expect([one.held, two.held]).toEqual([true, true]);
  for (const each of [one, two]) if (each.held) await each.abandon();
});

test.each([true, false])("work on one file goes one after the other; locked: %s", async (real) => {
  const fileLock = createFileLock(real ? lockIn(folder) : impossibleLock, systemClock);
  const log: string[] = [];
  const work = (name: string) => async (locked: boolean) => {
    log.push(`${name} begins ${locked}`);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    log.push(`${name} ends`);
  };
  await Promise.all([fileLock(file, work("one")), fileLock(file, work("other"))]);
  // Which of them is first is for whoever looks up the folder's true name sooner.
  const [first, second] = log[0]?.startsWith("one ") ? ["one", "other"] : ["other", "one"];
  expect(log).toEqual([
    `${first} begins ${real}`,
    `${first} ends`,
    `${second} begins ${real}`,
    `${second} ends`,
  ]);
});

test("work that fails frees the file for the next, and the failure is its own", async () => {
  const fileLock = createFileLock(lockIn(folder), systemClock);
  const fault = new Error("fault");
  const first = fileLock(file, () => Promise.reject(fault));
  const second = fileLock(file, (locked) => Promise.resolve(locked));
  await expect(first).rejects.toBe(fault);
  expect(await second).toBe(true);
});

test("a lock that only this process honours does not count as locked", async () => {
  const local: Lease = {
    held: true,
    acrossProcesses: false,
    announce: () => undefined,
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const lock: ProcessLock = {
    acquire: () => Promise.resolve(local),
    holder: () => Promise.resolve(undefined),
  };
  const fileLock = createFileLock(lock, systemClock);
  expect(await fileLock(file, (locked) => Promise.resolve(locked))).toBe(false);
});

test("a file lock whose holders never end is gone on without", async () => {
  let time = 0;
  const clock = { ...systemClock, monotonic: () => time };
  const lock: ProcessLock = {
    acquire: () => {
      time += 1000;
      return Promise.resolve({ held: false, outcome: null });
    },
    holder: () => Promise.resolve(undefined),
  };
  expect(await createFileLock(lock, clock)(file, (locked) => Promise.resolve(locked))).toBe(false);
});
