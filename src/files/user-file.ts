// Writes a file that the user named, for other programs to read: whole or not at all, and its owner's alone.

import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { OidcError } from "../core/errors.ts";
import { folderProblemOf } from "./powerful-file.ts";
import { errnoOf } from "./secure-read.ts";

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;

function failure(path: string, error: unknown): OidcError {
  return new OidcError("cache_write_failed", `${path} could not be written (${errnoOf(error)}).`, {
    reason: errnoOf(error) === "ENOSPC" ? "disk_full" : "failed",
    remedy: "Name a file in a folder of your own.",
    cause: error,
  });
}

/** In a folder where others may rename, they could put a token of theirs in its place. */
function assertTrusted(path: string): void {
  const user = process.geteuid?.();
  const problem = user === undefined ? undefined : folderProblemOf(dirname(path), user);
  if (problem === undefined) return;
  throw new OidcError("invalid_option", `${path} ${problem.what}. It was not written.`, {
    remedy: problem.remedy,
  });
}

/** The parts of a replacement that a caller may choose. */
export interface ReplaceOptions {
  /** Default: 0600. */
  readonly mode?: number | undefined;
  /** Asked when only the rename is left, with the path of the new content. False: nothing is changed. */
  readonly onlyIf?: (written: string) => boolean;
}

/**
 * Replaces a file, at whatever instant the process dies by the old content or the new. A link at its place is replaced,
 * not followed.
 * @returns False where `options.onlyIf` said no.
 * @throws {OidcError} `invalid_option`: others may write its folder; `cache_write_failed`.
 */
export function replaceUserFile(path: string, text: string, options: ReplaceOptions = {}): boolean {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.latchkey-${String(process.pid)}-${String(process.hrtime.bigint())}`,
  );
  let isThere = false;
  try {
    statSync(dirname(path));
    assertTrusted(path);
    const descriptor = openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    isThere = true;
    try {
      writeFileSync(descriptor, text);
      if (options.mode !== undefined) fchmodSync(descriptor, options.mode);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (options.onlyIf?.(temporary) === false) return false;
    renameSync(temporary, path);
    isThere = false;
    return true;
  } catch (error) {
    throw error instanceof OidcError ? error : failure(path, error);
  } finally {
    if (isThere) unlinkSync(temporary);
  }
}
