// Writes a file that the user named, for other programs to read: whole or not at all, and its owner's alone.

import {
  closeSync,
  constants,
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

/**
 * Replaces a file with mode 0600, at whatever instant the process dies by the old content or the new. A link at its place
 * is replaced, not followed.
 * @throws {OidcError} `invalid_option`: others may write its folder; `cache_write_failed`.
 */
export function replaceUserFile(path: string, text: string): void {
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
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    isThere = false;
  } catch (error) {
    throw error instanceof OidcError ? error : failure(path, error);
  } finally {
    if (isThere) unlinkSync(temporary);
  }
}
