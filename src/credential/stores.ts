// The given stores, as an embedding program makes them. Changes when a store gains an option.

import { systemClock } from "../core/clock.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { absolutePath, stateFolder, thisMachine } from "../options/paths.ts";
import { createFileStore } from "../store/file-store.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { StoreWarning, TokenStore } from "../store/token-store.ts";

/** Options of {@link fileStore}. */
export interface FileStoreSettings {
  /** One file for all records. `~` expands. Default: a file for each configuration in the default folder. */
  path?: string | undefined;
  /** Told of what was set aside or skipped. Default: nobody. */
  onWarning?: StoreWarning | undefined;
}

function ignoreWarning(): void {
  // Nobody asked to be told.
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/**
 * The default store: files with mode 0600, shared by all processes of the user.
 * @throws {OidcError} `cache_write_failed` (reason `no_home`) where no home folder is known.
 */
export function fileStore(settings: FileStoreSettings = {}): TokenStore {
  const machine = thisMachine();
  const folder = stateFolder(machine);
  const world = { clock: systemClock, randomBytes, logger: undefined };
  const onWarning = settings.onWarning ?? ignoreWarning;
  return createFileStore({
    ...world,
    location:
      settings.path === undefined
        ? { kind: "folder", folder }
        : { kind: "file", path: absolutePath(settings.path, machine) },
    lock: createProcessLock({ ...world, folder, onWarning }),
    onWarning,
  });
}

/** Keeps sign-ins in this process alone: gone when it ends. */
export function memoryStore(): TokenStore {
  return createMemoryStore();
}
