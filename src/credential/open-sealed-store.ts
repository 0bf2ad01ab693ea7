// Puts a store of files, what seals its records and the key together. Changes when one of them needs another part.

import { systemClock } from "../core/clock.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { createFileLock } from "../store/file-lock.ts";
import type { FileTokenStore } from "../store/file-store.ts";
import { systemKeychain } from "../store/keychain/keychain.ts";
import { createKeychainSeals } from "../store/keychain/keychain-seals.ts";
import { moveRecords, type Moved, type MoveWish } from "../store/move-records.ts";
import { createSeals } from "../store/seals.ts";
import {
  createSealedStore,
  type Placement,
  type RecordSeals,
  type SealedStore,
} from "../store/sealed-store.ts";
import type { GivenKey } from "../store/sealed-value.ts";
import { openFiles, randomBytes, type FileStoreParts } from "./open-file-store.ts";

/** Seals with the key in the system's keychain. `folder`: the default one, by which all programs of the user meet. */
export function keychainSeals({
  folder,
  clock = systemClock,
}: Pick<FileStoreParts, "folder" | "clock">): RecordSeals {
  const lock = createProcessLock({ folder, clock, randomBytes, onWarning: () => undefined });
  const fileLock = createFileLock(lock, clock);
  return createKeychainSeals({ keychain: systemKeychain(), fileLock, folder, randomBytes });
}

/** Files whose key is in the system's keychain. */
export function openKeychainStore(
  files: FileTokenStore,
  placement: Placement,
  parts: FileStoreParts,
): SealedStore {
  const { onWarning } = parts;
  return createSealedStore({ files, seals: keychainSeals(parts), placement, onWarning });
}

/**
 * Moves the sign-ins of a cache: into sealed files with the key in the keychain, or back into plain text.
 * @throws {OidcError} `keychain_unavailable`, `cache_write_failed`, `cache_locked`.
 */
export function moveSignIns(
  wish: MoveWish,
  parts: FileStoreParts,
  signal: AbortSignal,
): Promise<Moved> {
  const freshSeals = (): RecordSeals => keychainSeals(parts);
  return moveRecords(wish, { files: openFiles(parts), seals: freshSeals(), freshSeals, signal });
}

/**
 * Makes sure that the keychain can be used, before anybody relies on it: its key is made where there is none.
 * @throws {OidcError} `keychain_unavailable`.
 */
export async function assertKeychain(parts: FileStoreParts): Promise<void> {
  await keychainSeals(parts).values();
}

/** Files whose key the caller gives. */
export function openEncryptedStore(
  files: FileTokenStore,
  key: GivenKey,
  { onWarning, clock = systemClock }: FileStoreParts,
): SealedStore {
  const seals: RecordSeals = {
    ...createSeals(key, clock),
    level: "caller-key",
    place: "the program that was given it",
    otherKeyIs: "another program's",
    prepare: () => undefined,
  };
  return createSealedStore({ files, seals, placement: "sealed", onWarning });
}
