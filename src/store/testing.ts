// Stores that seal, over a keychain of a test's own.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { systemClock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { createFileLock } from "./file-lock.ts";
import { createFileStore, type FileTokenStore } from "./file-store.ts";
import { keychainUnavailable, type Keychain } from "./keychain/keychain.ts";
import { createKeychainSeals } from "./keychain/keychain-seals.ts";
import { createSeals } from "./seals.ts";
import {
  createSealedStore,
  type Placement,
  type RecordSeals,
  type SealedStore,
} from "./sealed-store.ts";

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-vault-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Told {
  readonly warnings: [string, string][];
}

export function filesIn(folder: string, told?: Told): FileTokenStore {
  const parts = { clock: systemClock, randomBytes };
  const onWarning = (code: string, said: unknown): void => {
    told?.warnings.push([code, String(said)]);
  };
  return createFileStore({
    ...parts,
    location: { kind: "folder", folder },
    lock: createProcessLock({ ...parts, folder }),
    onWarning,
  });
}

/** A keychain of this test alone. */
export interface PlayedKeychain extends Keychain {
  secret: Uint8Array | undefined;
  isLocked: boolean;
  writes: number;
}

export function keychain(): PlayedKeychain {
  const played: PlayedKeychain = {
    secret: undefined,
    isLocked: false,
    writes: 0,
    read: async () => {
      await Promise.resolve();
      if (played.isLocked) throw keychainUnavailable("locked");
      return played.secret;
    },
    write: async (secret) => {
      await Promise.resolve();
      if (played.isLocked) throw keychainUnavailable("locked");
      played.writes += 1;
      played.secret = Uint8Array.from(secret);
    },
  };
  return played;
}

export function sealsOf(chain: Keychain, folder: string): RecordSeals {
  const lock = createProcessLock({ folder, clock: systemClock, randomBytes });
  const fileLock = createFileLock(lock, systemClock);
  return createKeychainSeals({ keychain: chain, fileLock, folder, randomBytes });
}

export function callerSeals(secret: Uint8Array | readonly Uint8Array[]): RecordSeals {
  return {
    ...createSeals(secret, systemClock),
    level: "caller-key",
    place: "the program",
    otherKeyIs: "another program's",
    prepare: () => undefined,
  };
}

export function sealedIn(
  folder: string,
  seals: RecordSeals,
  placement: Placement = "sealed",
  told?: Told,
): SealedStore {
  return createSealedStore({
    files: filesIn(folder, told),
    seals,
    placement,
    onWarning: (code, said) => told?.warnings.push([code, JSON.stringify(said)]),
  });
}

export function textsIn(folder: string): string {
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("\n");
}

export async function failureOf(work: Promise<unknown>): Promise<[string, string | undefined]> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!isOidcError(error)) throw new Error("it did not fail", { cause: error });
  return [error.code, error.reason];
}
