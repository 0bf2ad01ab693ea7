// One cache file with all its records: looked at, set aside, changed. Changes when the life of a file does.

import { statSync } from "node:fs";
import { dirname } from "node:path";

import type { Clock } from "../core/clock.ts";
import { OidcError, wordingOf } from "../core/errors.ts";
import { emit, type Logger } from "../core/events.ts";
import { removePrivateFile, writeFailure, writeFileAtomically } from "../files/atomic-write.ts";
import type { FileIdentity } from "../files/secure-read.ts";
import { identityOf, isSameIdentity } from "../files/secure-read.ts";
import { maxCacheFileBytes } from "../core/limits.ts";
import type { Warn } from "../core/warning.ts";
import { forgetSignIn, option, say } from "../core/wording.ts";
import type { StoredRecord } from "../record/format.ts";
import { formatCacheFile } from "../record/parse.ts";
import type { CacheRead } from "../record/read-sync.ts";
import { readCacheFileSync } from "../record/read-sync.ts";
import { parseStored } from "../record/stored.ts";
import type { FileLock } from "./file-lock.ts";
import { quarantine, quarantineRecords } from "./quarantine.ts";

/** What the life of a cache file depends on. */
export interface CacheFileWorld {
  readonly fileLock: FileLock;
  /** True where the file lies in Latchkey's own folder, under a name that nobody else gives. */
  readonly ownsFolder: boolean;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly onWarning: Warn | undefined;
  readonly logger: Logger | undefined;
}

/** What a change makes of the records: the new list, or "keep" where nothing is to be written. */
export type Change = (records: readonly StoredRecord[]) => readonly StoredRecord[] | "keep";

/** What a look at a cache file found. */
export type Look = Exclude<CacheRead<StoredRecord>, { state: "damaged" }>;

/** A look that found records. */
export type RecordsInFile = Extract<Look, { state: "records" }>;

// A change meets another one only where the file's lock is not to be had.
const maxTries = 20;

/**
 * Whether a damaged file may be set aside. In the folder of Latchkey's own every file of that name is; at a path that
 * somebody named there may be a file of theirs.
 * @throws {OidcError} `cache_unreadable`.
 */
function assertOurs(path: string, isOurs: boolean, world: CacheFileWorld): void {
  if (isOurs || world.ownsFolder) return;
  throw new OidcError(
    "cache_unreadable",
    `The file ${path} is not a token cache of Latchkey, so it was left as it is.`,
    {
      reason: "foreign_file",
      remedy: say`Set another ${option("cachePath")}, or move that file away.`,
    },
  );
}

/**
 * Looks at a file; one that is damaged is set aside and counts as absent (C08).
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`.
 */
export async function lookAt(path: string, world: CacheFileWorld): Promise<Look> {
  const first = readCacheFileSync(path, parseStored);
  if (first.state !== "damaged") return first;
  assertOurs(path, first.isOurs, world);
  return world.fileLock(path, async () => {
    // Whoever waited for the lock may find that the file has been dealt with.
    const read = readCacheFileSync(path, parseStored);
    if (read.state !== "damaged") return read;
    assertOurs(path, read.isOurs, world);
    try {
      await quarantine(path, read.why, world);
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      world.onWarning?.(
        "cache_damaged",
        say`The cache file ${path} cannot be used: ${read.why}. It could not be moved away either. ${wordingOf(error)}`,
      );
    }
    return { state: "absent" };
  });
}

function currentIdentity(path: string): FileIdentity | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : identityOf(stats);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** What is longer is taken for damaged by whoever reads it, and with it the sign-ins of all others. */
function assertFits(path: string, text: string): void {
  if (Buffer.byteLength(text) <= maxCacheFileBytes) return;
  throw new OidcError(
    "cache_write_failed",
    `The sign-in was not saved, because the cache file ${path} would be longer than ${maxCacheFileBytes} bytes.`,
    {
      reason: "too_large",
      remedy: say`Forget sign-ins that are no longer wanted (${forgetSignIn}), or set another ${option("cachePath")}.`,
    },
  );
}

// Coarser than the clock of any file system in use (FAT counts in steps of two seconds).
const settledMilliseconds = 3000;

/**
 * Whether a file that looks the same later is the same: one that was written in the very moment in which it was read may
 * have been written once more, and its time would not tell.
 */
function isSettled({ identity }: RecordsInFile, now: number): boolean {
  return now - identity.modifiedMilliseconds > settledMilliseconds;
}

/** What is in the file now: as it was read before where it is the same file still, so that it is not opened again. */
function recordsNow(
  path: string,
  known: RecordsInFile | undefined,
  world: CacheFileWorld,
): CacheRead<StoredRecord> {
  const isKnown =
    known !== undefined &&
    isSettled(known, world.clock.now()) &&
    isSameIdentity(known.identity, currentIdentity(path));
  return isKnown ? known : readCacheFileSync(path, parseStored);
}

/** One try: false where the file was changed by somebody who had no lock either. */
async function tryChange(
  path: string,
  change: Change,
  world: CacheFileWorld,
  locked: boolean,
  known: RecordsInFile | undefined,
): Promise<boolean> {
  let read = recordsNow(path, known, world);
  if (read.state === "newer") {
    throw new OidcError(
      "cache_write_failed",
      `The cache file ${path} was written by a later version of Latchkey, so it was left as it is.`,
      {
        reason: "newer_schema",
        remedy: say`Update this one, or set another ${option("cachePath")}.`,
      },
    );
  }
  if (read.state === "damaged") {
    assertOurs(path, read.isOurs, world);
    await quarantine(path, read.why, world);
    read = { state: "absent" };
  }
  const records = read.state === "absent" ? [] : read.records;
  const next = change(records);
  if (next === "keep") return true;
  const text = formatCacheFile(next);
  // What does not grow may go on being too long: it must be possible to forget.
  if (next.length >= records.length) assertFits(path, text);
  if (read.state === "records" && read.damaged.length > 0) {
    await quarantineRecords(path, read.damaged, world);
  }
  const identity = read.state === "absent" ? undefined : read.identity;
  const isUnchanged = (): boolean => isSameIdentity(identity, currentIdentity(path));
  if (next.length > 0) {
    const written = await writeFileAtomically(path, text, {
      randomBytes: world.randomBytes,
      clock: world.clock,
      onlyIf: isUnchanged,
      isJudged: true,
      // What a process that died has left holds the forgotten sign-in too (C13).
      exclusive: locked && next.length < records.length,
    });
    if (written) emit(world.logger, "cache.written", { path });
    return written;
  }
  if (!isUnchanged()) return false;
  await removePrivateFile(path, { exclusive: locked });
  return true;
}

/**
 * Reads the records, lets `change` decide, and writes the result: under the file's lock, so that nothing written
 * meanwhile by another process is lost. `known`: what the caller has read of the file before. `change` may be called more than once. The last record takes the file along.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `cache_write_failed` (reasons of `writeFileAtomically`,
 * `newer_schema`, `changed_meanwhile`).
 */
export async function changeRecords(
  path: string,
  change: Change,
  world: CacheFileWorld,
  known?: RecordsInFile,
): Promise<void> {
  await world.fileLock(path, async (locked) => {
    for (let tries = 0; tries < maxTries; tries += 1) {
      if (await tryChange(path, change, world, locked, tries === 0 ? known : undefined)) return;
    }
    throw new OidcError(
      "cache_write_failed",
      `The cache file ${path} is being changed by other programs all the time, so the sign-in could not be saved.`,
      {
        reason: "changed_meanwhile",
        remedy: say`Try again; if it stays this way, give this program a ${option("cachePath")} of its own in another folder than ${dirname(path)}.`,
      },
    );
  });
}
