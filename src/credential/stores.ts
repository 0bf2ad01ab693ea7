// The given stores, as an embedding program makes them. Changes when a store gains an option.

import { loadPart } from "../core/load.ts";
import { worded } from "../core/wording.ts";
import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";
import { absolutePath, stateFolder, thisMachine } from "../options/paths.ts";
import type { StoreWarning, TokenStore } from "../store/token-store.ts";
import { loadedLater, memoryLater } from "./late-store.ts";

/** Options of {@link fileStore}. */
export interface FileStoreSettings {
  /** One file for all records. `~` expands. Default: a file for each configuration in the default folder. */
  path?: string | undefined;
  /** Told of what was set aside or skipped. Default: nobody. */
  onWarning?: StoreWarning | undefined;
}

function checkedSettings(settings: FileStoreSettings): FileStoreSettings {
  const { path, onWarning } = ownOptions(settings, ["path", "onWarning"], "{ path }");
  if (path !== undefined && (typeof path !== "string" || path === "" || path.includes("\u0000"))) {
    throw refusal("`path`", path, "the path of a file");
  }
  if (onWarning !== undefined && typeof onWarning !== "function") {
    throw refusal("`onWarning`", onWarning, "a function");
  }
  return { path, onWarning: onWarning as StoreWarning | undefined };
}

/**
 * The default store: files with mode 0600, shared by all processes of the user.
 * @throws {OidcError} `invalid_option`; `cache_write_failed` (reason `no_home`) where no home folder is known.
 */
export function fileStore(settings: FileStoreSettings = {}): TokenStore {
  const { path: given, onWarning } = checkedSettings(settings);
  const machine = thisMachine();
  const folder = stateFolder(machine);
  const path = given === undefined ? undefined : absolutePath(given, machine);
  return loadedLater("file-permissions", path ?? folder, async () => {
    const { openFileStore } = await loadPart(() => import("./open-plain-store.ts"));
    return openFileStore({
      folder,
      path,
      onWarning: (code, said) => onWarning?.(code, worded(said)),
    });
  });
}

/**
 * Keeps sign-ins in this process alone: gone when it ends. It has no settings.
 * @throws {OidcError} `invalid_option` where some are given.
 */
export function memoryStore(settings: Readonly<Record<string, never>> = {}): TokenStore {
  ownOptions(settings, [], "{}");
  return memoryLater();
}
