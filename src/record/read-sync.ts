// A cache file read in one synchronous look: the whole of a warm start's work. Changes when what a file can turn out
// to be does.

import { isErrorOf } from "../core/errors.ts";
import { maxCacheFileBytes } from "../core/limits.ts";
import type { FileIdentity, GuardedFile } from "../files/secure-read.ts";
import { readPrivateGuardedFileSync, readPrivateStartSync } from "../files/secure-read.ts";
import type { SessionRecord } from "./format.ts";
import { beginsAsOurs, parseCacheFile, parseRecord, telltaleBytes } from "./parse.ts";

/** What a cache file turned out to be. */
export type CacheRead<Decoded = SessionRecord> =
  | { readonly state: "absent" }
  | {
      readonly state: "records";
      readonly records: readonly Decoded[];
      /** Records that were left out because their own fields are invalid, as they stand in the file. */
      readonly damaged: readonly unknown[];
      /** Changes with every save. */
      readonly identity: FileIdentity;
    }
  /** `why` completes "it cannot be used: …". `isOurs`: it begins as what Latchkey writes. */
  | { readonly state: "damaged"; readonly why: string; readonly isOurs: boolean }
  /** Written by a later version of Latchkey. */
  | { readonly state: "newer" };

/**
 * Reads a cache file. Loads nothing but `node:fs` and `node:path`, so that a warm start costs what Node itself does.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`.
 */
export function readCacheFileSync(path: string): CacheRead;
/** The same with records that `decode` makes of what is written. */
export function readCacheFileSync<Decoded>(
  path: string,
  decode: (written: unknown) => Decoded | undefined,
): CacheRead<Decoded>;
export function readCacheFileSync(
  path: string,
  decode: (written: unknown) => unknown = parseRecord,
): CacheRead<unknown> {
  let file: GuardedFile | undefined;
  try {
    file = readPrivateGuardedFileSync(path, maxCacheFileBytes);
  } catch (error) {
    if (isErrorOf(error, "cache_unreadable", "too_large")) {
      const start = readPrivateStartSync(path, telltaleBytes);
      return {
        state: "damaged",
        why: `it is longer than ${maxCacheFileBytes} bytes`,
        isOurs: beginsAsOurs(start?.toString("latin1") ?? ""),
      };
    }
    throw error;
  }
  if (file === undefined) return { state: "absent" };
  const parsed = parseCacheFile(file.bytes.toString("utf8"), decode);
  return parsed.state === "records" ? { ...parsed, identity: file.identity } : parsed;
}
