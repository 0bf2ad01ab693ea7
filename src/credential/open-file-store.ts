// Puts the file store and its lock together. Changes when a file store needs another part.

import { accessSync, constants } from "node:fs";
import { dirname, sep } from "node:path";

import { systemClock, type Clock } from "../core/clock.ts";
import type { Logger } from "../core/events.ts";
import { assertWebCrypto } from "../core/runtime.ts";
import type { Warn } from "../core/warning.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { createFileStore, type FileTokenStore } from "../store/file-store.ts";

/** Where the files are and what they are written with. */
export interface FileStoreParts {
  /** The default folder: `lock-id` lies there, and the files unless `path` is set. */
  readonly folder: string;
  /** One file for all records. */
  readonly path: string | undefined;
  /** Default: the machine's clocks. */
  readonly clock?: Clock;
  readonly logger?: Logger | undefined;
  readonly onWarning: Warn | undefined;
}

/** Cryptographically strong random bytes, without loading `node:crypto`. */
export function randomBytes(length: number): Uint8Array {
  assertWebCrypto();
  return crypto.getRandomValues(new Uint8Array(length));
}

function isWritableFolder(folder: string): boolean {
  try {
    // With a separator at its end, what is a file is no folder.
    accessSync(`${folder}${sep}`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens the files with the lock across processes. What is sealed in them comes out as it is. Nothing is read or written yet.
 */
export function openFiles(parts: FileStoreParts): FileTokenStore {
  const { folder, path, clock = systemClock, logger } = parts;
  const onWarning = parts.onWarning ?? (() => undefined);
  const world = { clock, randomBytes, logger, onWarning };
  return createFileStore({
    ...world,
    location: path === undefined ? { kind: "folder", folder } : { kind: "file", path },
    lock: createProcessLock({
      ...world,
      folder,
      onWarning: (code, message) => {
        // Where the sign-ins cannot be kept either, the store says so: one warning is enough.
        const isToldByStore = path === undefined || !isWritableFolder(dirname(path));
        if (code !== "cache_write_failed" || !isToldByStore) onWarning(code, message);
      },
    }),
  });
}
