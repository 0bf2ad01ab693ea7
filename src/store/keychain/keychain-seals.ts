// Seals with the one key of this user's keychain, which the first program that needs it makes. Changes when the life of
// that key does.

import { join } from "node:path";

import { OidcError } from "../../core/errors.ts";
import { ensurePrivateFolder } from "../../files/atomic-write.ts";
import type { FileLock } from "../file-lock.ts";
import type { RecordSeals } from "../sealed-store.ts";
import { keyBytes, sealedValues, type SealedValues } from "../sealed-value.ts";
import { keychainUnavailable, type Keychain } from "./keychain.ts";

/** What the key is made and fetched with. */
export interface KeychainSealsParts {
  readonly keychain: Keychain;
  /** The lock under which one program makes the key, and the folder that it is named after: the same for all programs. */
  readonly fileLock: FileLock;
  readonly folder: string;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** How long a person may take to unlock the keychain, in seconds: alone, and while a browser is open for them. */
const maxSeconds = 30;
const maxWhileSigningIn = 600;

/** @throws {OidcError} `keychain_unavailable` for what Latchkey cannot have put there. */
function checkedKey(secret: Uint8Array): Uint8Array {
  if (secret.length === keyBytes) return secret;
  throw new OidcError(
    "keychain_unavailable",
    `What the keychain holds for Latchkey (latchkey, sign-ins) is not a key of ${keyBytes} bytes, so it was not used.`,
    {
      reason: "foreign_entry",
      remedy: "Delete it with the system's keychain program: a new one is made then.",
    },
  );
}

/** Seals with the key of the keychain. Nothing is loaded or asked before the first use. */
export function createKeychainSeals(parts: KeychainSealsParts): RecordSeals {
  const { keychain, fileLock, folder, randomBytes } = parts;
  let known: Promise<SealedValues | undefined> | undefined;
  const fetch = (seconds: number): Promise<SealedValues | undefined> => {
    const fetching = keychain
      .read(seconds)
      .then((secret) => secret && sealedValues([checkedKey(secret)]));
    known = fetching;
    const forget = (): void => {
      if (known === fetching) known = undefined;
    };
    // One that is absent now may be there later.
    fetching.then((values) => values ?? forget(), forget);
    return fetching;
  };
  /** What `prepare` began is waited for; where that failed, the keychain may be unlocked by now. */
  const current = async (): Promise<SealedValues | undefined> => {
    if (known === undefined) return fetch(maxSeconds);
    return known.catch(() => fetch(maxSeconds));
  };
  const make = async (): Promise<SealedValues> => {
    await ensurePrivateFolder(folder);
    // Of many programs at once one makes the key: another one's would take its place in the keychain.
    return fileLock(join(folder, "keychain-key"), async () => {
      const there = await fetch(maxSeconds);
      if (there !== undefined) return there;
      await keychain.write(randomBytes(keyBytes), maxSeconds);
      // As it is there, and not as it was given: nothing is sealed with a key that was not kept.
      const kept = await fetch(maxSeconds);
      if (kept === undefined) throw keychainUnavailable("failed");
      return kept;
    });
  };
  return {
    level: "keychain",
    place: "the keychain",
    otherKeyIs: "lost",
    prepare: () => {
      if (known === undefined) void fetch(maxWhileSigningIn).catch(() => undefined);
    },
    values: async () => (await current()) ?? make(),
    open: async (sealed, place) => {
      const opened = (await current())?.open(sealed, place);
      if (opened !== undefined && opened.state !== "otherKey") return opened;
      // The keychain may have another key by now.
      return (await fetch(maxSeconds))?.open(sealed, place) ?? { state: "otherKey" };
    },
  };
}
