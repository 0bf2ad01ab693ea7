// Overwrites what a file held that has been replaced: as far as a disk can be told to.

import { constants, promises as disk } from "node:fs";

import { writeFailure } from "./atomic-write.ts";
import { errnoOf } from "./secure-read.ts";

/** What is left of a replaced file, held open. Exactly one of the two is called. */
export interface HeldFile {
  /**
   * Overwrites what it held, where nothing leads to it any more. A copy that a file system made by itself (a snapshot, the
   * spare blocks of a flash disk) is out of reach.
   */
  erase(): Promise<void>;
  letGo(): Promise<void>;
}

/**
 * Holds the file that is at a path now, to overwrite it once another one has taken its place: until then a crash must find
 * it whole. Undefined where there is none.
 * @throws {OidcError} `cache_write_failed`.
 */
export async function holdForErasing(path: string): Promise<HeldFile | undefined> {
  let handle: Awaited<ReturnType<typeof disk.open>>;
  try {
    handle = await disk.open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw writeFailure(path, error);
  }
  const letGo = async (): Promise<void> => handle.close().catch(() => undefined);
  return {
    letGo,
    async erase() {
      try {
        const { nlink, size } = await handle.stat();
        // Still in its place, or under another name: somebody needs what it holds. Windows counts in another way.
        if (nlink > 0 && process.platform !== "win32") return;
        const zeros = Buffer.alloc(64 * 1024);
        for (let at = 0; at < size; at += zeros.length) {
          await handle.write(zeros, 0, Math.min(zeros.length, size - at), at);
        }
        await handle.sync();
      } catch {
        // It is unlinked either way, and everything of it that can be reached is gone.
      } finally {
        await letGo();
      }
    },
  };
}
