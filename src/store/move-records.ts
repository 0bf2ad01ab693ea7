// Moves sign-ins between plain text and sealed files, without anybody signing in again. Changes when a step of that does.

import { OidcError } from "../core/errors.ts";
import { holdForErasing } from "../files/erase.ts";
import type { Lease } from "../lock/types.ts";
import type { SessionRecord, StoredRecord } from "../record/format.ts";
import { isSealed } from "../record/sealed.ts";
import { nextPartVersion } from "../record/version.ts";
import type { FileTokenStore } from "./file-store.ts";
import { openRecord, sealRecord, type RecordSeals } from "./sealed-store.ts";

/** What records are moved with. */
export interface MoveParts {
  readonly files: FileTokenStore;
  readonly seals: RecordSeals;
  /** The same from nothing: whoever reads the records later has no more than the keychain gives. */
  readonly freshSeals: () => RecordSeals;
  readonly signal: AbortSignal;
}

/** Where to, and which: all of them where no key is given. */
export interface MoveWish {
  readonly to: "sealed" | "plain";
  readonly key?: string;
}

/** What became of the records. */
export interface Moved {
  readonly moved: number;
  /** They were there already. */
  readonly already: number;
  /** Sealed, and nobody can open them: left as they are. */
  readonly unreadable: number;
}

// Longer than a renewal and a sign-in take: nothing is moved while somebody works on it.
const longestWorkSeconds = 600;

async function leaseOf(key: string, { files, signal }: MoveParts): Promise<Lease> {
  for (;;) {
    const taken = await files.acquire(key, {
      signal,
      longestWorkSeconds: () => longestWorkSeconds,
      waitForLogin: true,
      onWaiting: () => undefined,
    });
    if (taken.held) return taken;
  }
}

/** The record in plain text; undefined where nobody can open it. */
async function plainOf(
  stored: StoredRecord,
  seals: RecordSeals,
): Promise<SessionRecord | undefined> {
  // In plain text it was parsed when it was read.
  if (!isSealed(stored)) return stored as SessionRecord;
  const opened = await openRecord(stored, seals);
  return opened.state === "open" ? opened.record : undefined;
}

/** A record that is moved has a version already. */
function unknownId(): string {
  throw new TypeError("A record without a version cannot be moved.");
}

function isSame(one: StoredRecord | undefined, other: StoredRecord): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}

function notMoved(path: string, cause?: unknown): OidcError {
  return new OidcError(
    "cache_write_failed",
    `The sign-in in ${path} could not be read back after it was sealed, so it was left as it was.`,
    { reason: "failed", remedy: "Try again; if it stays this way, look at the keychain.", cause },
  );
}

/** Moves one record, under its lock, so that no renewal is under way. */
async function moveOne(
  key: string,
  to: MoveWish["to"],
  parts: MoveParts,
): Promise<keyof Moved | "gone"> {
  const { files, seals, freshSeals } = parts;
  const stored = await files.read(key);
  if (stored === undefined) return "gone";
  if (isSealed(stored) === (to === "sealed")) return "already";
  const record = await plainOf(stored, seals);
  if (record === undefined) return "unreadable";
  // Another version: who has read the one before must not write it back in its old form.
  const next = { ...record, version: nextPartVersion(record, unknownId) };
  const written = to === "sealed" ? await sealRecord(next, seals) : next;
  const path = files.fileOf(key);
  // Before the old one goes: what is about to be written opens with what the keychain gives by itself.
  if (!isSame(await plainOf(written, freshSeals()), next)) throw notMoved(path);
  const before = to === "sealed" ? await holdForErasing(path) : undefined;
  try {
    const result = await files.replace(key, stored.version, written);
    if (!result.replaced) return await moveOne(key, to, parts);
    const kept = await files.read(key);
    if (kept === undefined || !isSame(await plainOf(kept, freshSeals()), next)) {
      await files.replace(key, kept?.version, {
        ...record,
        version: nextPartVersion(next, unknownId),
      });
      throw notMoved(path);
    }
    await before?.erase();
  } finally {
    await before?.letGo();
  }
  return "moved";
}

/**
 * Moves records one by one: each is whole at every instant, in the old form or in the new one, so that what was cut short
 * is simply done again. What was left of the old form, set aside or unfinished, goes with it.
 * @throws {OidcError} where the key cannot be had, or a file cannot be written; `cache_locked`.
 */
export async function moveRecords(wish: MoveWish, parts: MoveParts): Promise<Moved> {
  const { files, signal } = parts;
  const count = { moved: 0, already: 0, unreadable: 0 };
  const keys = wish.key === undefined ? (await files.list()).map(({ key }) => key) : [wish.key];
  for (const key of keys) {
    signal.throwIfAborted();
    const lease = await leaseOf(key, parts);
    try {
      const became = await moveOne(key, wish.to, parts);
      if (became !== "gone") count[became] += 1;
      if (became === "moved" || became === "already") await files.tidy(key);
    } finally {
      await lease.abandon();
    }
  }
  return count;
}
