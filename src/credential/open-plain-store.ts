// The default store: files in plain text, and what opens a sealed one. Changes when it needs another part.

import { loadPart } from "../core/load.ts";
import { plainFirstStore } from "../store/plain-first.ts";
import type { SealedStore } from "../store/sealed-store.ts";
import { openFiles, type FileStoreParts } from "./open-file-store.ts";

/**
 * Opens a file store: new sign-ins are kept in plain text, sealed ones are opened where it meets some. Nothing is read or
 * written yet.
 */
export function openFileStore(parts: FileStoreParts): SealedStore {
  const files = openFiles(parts);
  return plainFirstStore(files, async () => {
    const { openKeychainStore } = await loadPart(() => import("./open-sealed-store.ts"));
    return openKeychainStore(files, "plain", parts);
  });
}
