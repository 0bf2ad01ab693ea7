// The stores that seal, as an embedding program makes them. Changes when one gains an option.

import { worded } from "../core/wording.ts";
import { ownOptions } from "../options/own-options.ts";
import { absolutePath, stateFolder, thisMachine } from "../options/paths.ts";
import { refusal } from "../options/validate.ts";
import { isGivenKey, keyBytes } from "../store/sealed-value.ts";
import type { StoreWarning, TokenStore } from "../store/token-store.ts";
import { openFiles, type FileStoreParts } from "./open-file-store.ts";
import { openEncryptedStore, openKeychainStore } from "./open-sealed-store.ts";

/** Options of {@link keychainStore}. */
export interface KeychainStoreSettings {
  /** The folder with a file for each configuration. `~` expands. Default: that of the default store. */
  folder?: string | undefined;
  /** Told of what was set aside or skipped. Default: nobody. */
  onWarning?: StoreWarning | undefined;
}

/** Options of {@link encryptedFileStore}. */
export interface EncryptedFileStoreSettings extends KeychainStoreSettings {
  /**
   * What seals every sign-in (AES-256-GCM): 32 random bytes, or an async function that gives them. To change keys without
   * anybody signing in again, give several: the first one seals, all of them open.
   */
  key: Uint8Array | readonly Uint8Array[] | (() => Promise<Uint8Array | readonly Uint8Array[]>);
}

/** Where the files are, and who is told of them. */
function partsOf({ folder, onWarning }: Readonly<Record<string, unknown>>): {
  readonly files: FileStoreParts;
  readonly keys: FileStoreParts;
} {
  if (
    folder !== undefined &&
    (typeof folder !== "string" || folder === "" || folder.includes("\u0000"))
  ) {
    throw refusal("`folder`", folder, "the path of a folder");
  }
  if (onWarning !== undefined && typeof onWarning !== "function") {
    throw refusal("`onWarning`", onWarning, "a function");
  }
  const warn = onWarning as StoreWarning | undefined;
  const machine = thisMachine();
  const parts = (of: string): FileStoreParts => ({
    folder: of,
    path: undefined,
    onWarning: (code, said) => warn?.(code, worded(said)),
  });
  const shared = stateFolder(machine);
  const files = folder === undefined ? shared : absolutePath(folder, machine);
  return { files: parts(files), keys: parts(shared) };
}

/**
 * The default store with every sign-in sealed: AES-256-GCM, the 32-byte key in the keychain of this user's system (Secret
 * Service, Keychain, Credential Manager), made at the first sign-in. The package `@napi-rs/keyring` reaches it, and is
 * loaded at the first use. Where the keychain cannot be used, calls end with `keychain_unavailable`: nothing is ever kept
 * in plain text instead. A sign-in in plain text that is there is refused (`cache_insecure`, reason `plain_text`).
 * @throws {OidcError} `invalid_option`; `cache_write_failed` (reason `no_home`) where no home folder is known.
 */
export function keychainStore(settings: KeychainStoreSettings = {}): TokenStore {
  const own = ownOptions(settings, ["folder", "onWarning"], "{ folder }");
  const { files, keys } = partsOf(own);
  return openKeychainStore(openFiles(files), "sealed", keys);
}

/**
 * The default store with every sign-in sealed by a key that the caller gives: AES-256-GCM, without a keychain. Who has
 * the files alone learns the providers and clients, and no token. A sign-in in plain text that is there is refused
 * (`cache_insecure`, reason `plain_text`), one under another key left alone (`store_unavailable`, reason `other_key`).
 * @throws {OidcError} `invalid_option`; `cache_write_failed` (reason `no_home`) where no home folder is known.
 */
export function encryptedFileStore(settings: EncryptedFileStoreSettings): TokenStore {
  const own = ownOptions(settings, ["key", "folder", "onWarning"], "{ key }");
  const { key } = own;
  if (!isGivenKey(key)) {
    const accepted = `${keyBytes} bytes, several such keys, or a function that gives them`;
    throw refusal("`key`", key, accepted);
  }
  const { files } = partsOf(own);
  return openEncryptedStore(openFiles(files), key, files);
}
