// The short lock around one cache file: held for read, compare and rename. Changes when it is taken in another way.

import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import type { Clock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import type { FlightLock, Lease } from "../lock/types.ts";

/**
 * Runs `work` while nobody else changes the file, in this process or another. `locked` is false where the lock across
 * processes was not to be had; then `work` runs all the same, and must compare before it writes.
 */
export type FileLock = <Result>(
  path: string,
  work: (locked: boolean) => Promise<Result>,
) => Promise<Result>;

// A holder needs milliseconds; one that takes longer has been suspended, and a token must not wait for that.
const maxHoldSeconds = 5;
const maxWaitMilliseconds = 30_000;

/**
 * A folder as every program names it, whichever way leads there: two containers of one host may have the same folder
 * under two paths. One that is absent has no more than its path.
 */
export async function placeOfFolder(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    return `${String(dev)}:${String(ino)}`;
  } catch {
    return resolve(folder);
  }
}

/** The same for a file, which every save makes anew. The file itself is no link: such a one is refused. */
export async function placeOfFile(path: string): Promise<string> {
  return join(await placeOfFolder(dirname(path)), basename(path));
}

async function take(name: string, lock: FlightLock, clock: Clock): Promise<Lease | undefined> {
  const deadline = clock.monotonic() + maxWaitMilliseconds;
  try {
    while (clock.monotonic() < deadline) {
      const taken = await lock.acquire(name, {
        signal: new AbortController().signal,
        longestWorkSeconds: () => maxHoldSeconds,
        waitForLogin: true,
        onWaiting: () => undefined,
      });
      if (taken.held) return taken;
    }
    return undefined;
  } catch (error) {
    // A lock that cannot be had protects nothing; the comparison before the rename still does (docs/lock/protocol.md,
    // step 1).
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

// Within one process order is kept here, so that a file without a lock across processes still has one writer.
const queues = new Map<string, Promise<unknown>>();

async function inOrder<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.then(work);
  const settled = mine.then(
    () => undefined,
    () => undefined,
  );
  queues.set(name, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(name) === settled) queues.delete(name);
  }
}

/** Makes the lock of cache files from the lock across processes. */
export function createFileLock(lock: FlightLock, clock: Clock): FileLock {
  return async (path, work) => {
    const name = `file:${await placeOfFile(path)}`;
    return inOrder(name, async () => {
      const lease = await take(name, lock, clock);
      try {
        // A lease that only this process honours is none against another one that saves this file.
        return await work(lease?.acrossProcesses === true);
      } finally {
        await lease?.abandon();
      }
    });
  };
}
