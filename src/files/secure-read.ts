// The one guarded way to read a file: synchronous, bounded, judged by its descriptor. Changes when a kind of file
// needs another guard.

import type { Stats } from "node:fs";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";

import type { OidcErrorCode } from "../core/errors.ts";
import { OidcError } from "../core/errors.ts";
import type { Wording } from "../core/wording.ts";
import { powerProblem } from "./powerful-file.ts";
import { linkProblem, modeOf, ownerProblem, toType, type FileProblem } from "./remedy.ts";

const moveAway: Wording = ["Move it away, or choose another path."];

/** Tells two states of one path apart without reading the file: every save makes another inode. */
export interface FileIdentity {
  readonly inode: number;
  readonly size: number;
  readonly modifiedMilliseconds: number;
}

/** A whole file and which state of its path it was. */
export interface GuardedFile {
  readonly bytes: Buffer;
  readonly identity: FileIdentity;
}

/** How a file that the user wrote, not Latchkey, is guarded. */
export interface UserFileRule {
  /** What the file is called in messages: "configuration file", "CA bundle". */
  readonly what: string;
  /** Longest content, in bytes. */
  readonly maxBytes: number;
  /** The code of every error: `invalid_option`, `ca_bundle_invalid`. */
  readonly code: OidcErrorCode;
}

interface Guard {
  readonly what: string;
  /** "user": see `powerProblem`. */
  readonly access: "private" | "user";
  readonly maxBytes: number;
  readonly insecure: OidcErrorCode;
  readonly unreadable: OidcErrorCode;
}

// Windows has none of these flags and no mode bits either: what protects %LOCALAPPDATA% is its inherited access
// list, which Node cannot read. `undefined | 0` is 0, so the flags need no cases.
const readFlags: number = constants.O_RDONLY | constants.O_NONBLOCK;
const ownFileFlags: number = readFlags | constants.O_NOFOLLOW;
const folderFlags: number = readFlags | constants.O_DIRECTORY;

/** The user that files must belong to; undefined on Windows, where nothing is asked of owner and mode. */
function currentUser(): number | undefined {
  return process.geteuid?.();
}

/** The errno of a system error, "" for anything else. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** Which state of its path a file is. */
export function identityOf(stats: Stats): FileIdentity {
  return { inode: stats.ino, size: stats.size, modifiedMilliseconds: stats.mtimeMs };
}

/** True for two looks at the same state of a path; undefined means absent. */
export function isSameIdentity(
  one: FileIdentity | undefined,
  other: FileIdentity | undefined,
): boolean {
  return (
    one?.inode === other?.inode &&
    one?.size === other?.size &&
    one?.modifiedMilliseconds === other?.modifiedMilliseconds
  );
}

/** What is wrong with an opened file, with what to type; undefined where it may be used. */
export function fileProblem(
  path: string,
  stats: Stats,
  access: Guard["access"],
  user: number | undefined,
): FileProblem | undefined {
  if (!stats.isFile()) return { what: "is not a regular file", remedy: moveAway };
  if (access === "user") return powerProblem(path, stats, user);
  // A link count of 0 is a file that was replaced after it was opened: whole, and ours.
  if (stats.nlink > 1) {
    return {
      what: `has ${stats.nlink} hard links, so it can be changed under another name`,
      remedy: toType("rm", path),
    };
  }
  if (user === undefined) return undefined;
  if (stats.uid !== user) return ownerProblem(path, stats, user);
  if ((stats.mode & 0o077) !== 0) {
    return {
      what: `is open to other users (mode ${modeOf(stats)})`,
      remedy: toType("chmod 600", path),
    };
  }
  return undefined;
}

/** What is wrong with an opened folder, with what to type; undefined where it may be used. */
export function folderProblem(
  path: string,
  stats: Stats,
  user: number | undefined,
): FileProblem | undefined {
  if (user === undefined) return undefined;
  if (stats.uid !== user) return ownerProblem(path, stats, user);
  if ((stats.mode & 0o077) !== 0) {
    return {
      what: `is open to other users (mode ${modeOf(stats)})`,
      remedy: toType("chmod 700", path, ", or choose a folder of your own."),
    };
  }
  return undefined;
}

function insecure(guard: Guard, path: string, problem: FileProblem, cause?: unknown): OidcError {
  const { what, remedy } = problem;
  return new OidcError(guard.insecure, `The ${guard.what} ${path} ${what}. It was not used.`, {
    remedy,
    cause,
  });
}

/** Why a path could not be opened, as an error; undefined where nothing is there. */
function openFailure(guard: Guard, path: string, error: unknown): OidcError | undefined {
  const errno = errnoOf(error);
  if (errno === "ENOENT") return undefined;
  if (errno === "ELOOP" || errno === "EMLINK") {
    return insecure(guard, path, linkProblem(path), error);
  }
  if (errno === "ENXIO" || errno === "EOPNOTSUPP") {
    return insecure(guard, path, { what: "is a socket or device", remedy: moveAway }, error);
  }
  if (errno === "EACCES" || errno === "EPERM") {
    const user = currentUser();
    try {
      // The path is asked only to explain a refusal; nothing is trusted because of the answer.
      const stats = lstatSync(path);
      if (stats.isSymbolicLink()) return insecure(guard, path, linkProblem(path), error);
      if (user !== undefined && stats.uid !== user) {
        return insecure(guard, path, ownerProblem(path, stats, user), error);
      }
    } catch {
      // Not even its entry can be seen: the general answer below says it.
    }
    return new OidcError(
      guard.unreadable,
      `Reading the ${guard.what} ${path} is not permitted (${errno}).`,
      { remedy: "Check its permissions and those of the folders above it.", cause: error },
    );
  }
  return new OidcError(
    guard.unreadable,
    `The ${guard.what} ${path} could not be read (${errno || "unknown fault"}).`,
    { remedy: "Check that the path is right and its disk is in order.", cause: error },
  );
}

/** Reads to the end, or gives undefined as soon as there is more than `maxBytes`. */
function readBounded(descriptor: number, size: number, maxBytes: number): Buffer | undefined {
  let buffer = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > maxBytes) return undefined;
    if (length === buffer.length) {
      buffer = Buffer.concat([buffer], Math.min(length * 2, maxBytes + 1));
    }
  }
}

/** What was only read has nothing to lose when its closing fails, as it can on a network file system. */
function closeRead(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The kernel has let go of the descriptor all the same.
  }
}

/** Opens, judges what was opened, and hands it on; undefined where nothing is there. */
function withGuarded<Result>(
  path: string,
  guard: Guard,
  use: (descriptor: number, stats: Stats) => Result,
): Result | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, guard.access === "private" ? ownFileFlags : readFlags);
  } catch (error) {
    const failure = openFailure(guard, path, error);
    if (failure === undefined) return undefined;
    throw failure;
  }
  try {
    const stats = fstatSync(descriptor);
    const problem = fileProblem(path, stats, guard.access, currentUser());
    if (problem !== undefined) throw insecure(guard, path, problem);
    return use(descriptor, stats);
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw openFailure(guard, path, error) ?? error;
  } finally {
    closeRead(descriptor);
  }
}

function readGuarded(path: string, guard: Guard): GuardedFile | undefined {
  return withGuarded(path, guard, (descriptor, stats) => {
    const bytes =
      stats.size > guard.maxBytes ? undefined : readBounded(descriptor, stats.size, guard.maxBytes);
    if (bytes === undefined) {
      throw new OidcError(
        guard.unreadable,
        `The ${guard.what} ${path} is longer than ${guard.maxBytes} bytes. It was not read.`,
        { reason: "too_large", remedy: "Check that the path is right." },
      );
    }
    return { bytes, identity: identityOf(stats) };
  });
}

function privateGuard(maxBytes: number): Guard {
  return {
    what: "cache file",
    access: "private",
    maxBytes,
    insecure: "cache_insecure",
    unreadable: "cache_unreadable",
  };
}

const folderGuard: Guard = { ...privateGuard(0), what: "cache folder" };

/**
 * Whether a folder of Latchkey's is there, and fit for secrets: this user's, closed to everybody else (C02). A link
 * to such a folder is fine; what it leads to is judged. On Windows nothing is asked, and the answer is "private".
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`.
 */
export function checkPrivateFolderSync(folder: string): "private" | "absent" {
  const user = currentUser();
  if (user === undefined) return "private";
  let descriptor: number;
  try {
    descriptor = openSync(folder, folderFlags);
  } catch (error) {
    const failure = openFailure(folderGuard, folder, error);
    if (failure === undefined) return "absent";
    throw failure;
  }
  try {
    const problem = folderProblem(folder, fstatSync(descriptor), user);
    if (problem !== undefined) throw insecure(folderGuard, folder, problem);
    return "private";
  } catch (error) {
    // An open folder of a server that has gone (ESTALE) cannot be judged.
    if (error instanceof OidcError) throw error;
    throw openFailure(folderGuard, folder, error) ?? error;
  } finally {
    closeRead(descriptor);
  }
}

/**
 * Judges a file of Latchkey's own as {@link readPrivateFileSync} does, without reading it. Its folder is not judged.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`.
 */
export function checkPrivateFileSync(path: string): FileIdentity | undefined {
  return withGuarded(path, privateGuard(0), (_descriptor, stats) => identityOf(stats));
}

/**
 * A file of Latchkey's own with its identity, or undefined where it or its folder is absent. File and folder must be
 * this user's and closed to everybody else; the file regular, no link, and at most `maxBytes` long.
 * @throws {OidcError} `cache_insecure`; `cache_unreadable` (reason `too_large` beyond the bound).
 */
export function readPrivateGuardedFileSync(
  path: string,
  maxBytes: number,
): GuardedFile | undefined {
  if (checkPrivateFolderSync(dirname(path)) === "absent") return undefined;
  return readGuarded(path, privateGuard(maxBytes));
}

/**
 * The content of a file of Latchkey's own, or undefined where it or its folder is absent.
 * @throws {OidcError} as {@link readPrivateGuardedFileSync}.
 */
export function readPrivateFileSync(path: string, maxBytes: number): Buffer | undefined {
  return readPrivateGuardedFileSync(path, maxBytes)?.bytes;
}

/**
 * The first bytes of a file of Latchkey's own, however long it is; undefined where it is absent.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`.
 */
export function readPrivateStartSync(path: string, bytes: number): Buffer | undefined {
  return withGuarded(path, privateGuard(bytes), (descriptor) => {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0));
  });
}

/**
 * The content of a file that the user named, or undefined where it is absent. Links are followed: see `powerProblem`.
 * @throws {OidcError} the rule's `code`; reason `too_large` beyond the bound.
 */
export function readUserFileSync(path: string, rule: UserFileRule): Buffer | undefined {
  return readGuarded(path, {
    what: rule.what,
    access: "user",
    maxBytes: rule.maxBytes,
    insecure: rule.code,
    unreadable: rule.code,
  })?.bytes;
}
