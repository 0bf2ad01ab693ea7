// The random identity that all processes of one user share. Changes when the file's form or place does.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import { foreignFolder } from "../files/atomic-write.ts";
import { errnoOf, fileProblem, readPrivateGuardedFileSync } from "../files/secure-read.ts";
import { isExhaustion } from "./local-socket.ts";

/** An identity that was found. */
export interface KnownLockIdentity {
  readonly state: "known";
  /** 128 random bits, in hexadecimal digits. */
  readonly secret: string;
  /**
   * The file that it was read from. A copied folder is another lock; one folder that two containers see under two
   * paths is the same, which a path would not tell.
   */
  readonly inode: number;
}

/** What the lock is named after, and what its holder and waiters know of each other. */
export type LockIdentity =
  | KnownLockIdentity
  /** This process has no descriptor or memory left at the moment. */
  | { readonly state: "exhausted"; readonly why: string }
  | { readonly state: "unwritable"; readonly path: string; readonly why: string };

const fileName = "lock-id";
const secretBytes = 16;
const maxFileBytes = 4096;
const maxAppends = 3;

const appendFlags: number =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * Reads the lock identity of a folder; makes folder (0700) and file (0600) where they are absent.
 *
 * The file only ever grows, and the identity is its first 32 hexadecimal digits in a row. So two creators need no
 * O_EXCL to agree, and nothing that a crash or a full disk leaves behind needs a repair that could race: whoever
 * finds too little appends its own digits and reads again, and all who do so read the same.
 * @throws {OidcError} `cache_insecure` where another user could read or change it.
 */
export function readLockIdentity(
  folder: string,
  randomBytes: (length: number) => Uint8Array,
): LockIdentity {
  const path = join(folder, fileName);
  try {
    for (let appends = 0; ; appends += 1) {
      const found = readIdentity(path);
      if (found !== undefined) return found;
      if (appends === maxAppends) break;
      appendDigits(folder, path, Buffer.from(randomBytes(secretBytes)).toString("hex"));
    }
    return { state: "unwritable", path, why: "what was written cannot be read back" };
  } catch (error) {
    if (isErrorOf(error, "cache_insecure")) throw error;
    if (isErrorOf(error, "cache_write_failed", "other_user")) {
      return { state: "unwritable", path, why: "its folder belongs to another user" };
    }
    const errno = errnoOf(isOidcError(error) ? error.cause : error);
    if (isExhaustion(errno)) return { state: "exhausted", why: errno };
    return { state: "unwritable", path, why: meaningOf(error) };
  }
}

/**
 * The lock identity of a folder where it can be read; writes nothing.
 * @throws {OidcError} `cache_insecure` where another user could read or change it.
 */
export function findLockIdentity(folder: string): KnownLockIdentity | undefined {
  try {
    return readIdentity(join(folder, fileName));
  } catch (error) {
    if (isErrorOf(error, "cache_unreadable")) return undefined;
    throw error;
  }
}

function readIdentity(path: string): KnownLockIdentity | undefined {
  const file = readPrivateGuardedFileSync(path, maxFileBytes);
  const secret = /[0-9a-f]{32}/u.exec(file?.bytes.toString("latin1") ?? "")?.[0];
  if (file === undefined || secret === undefined) return undefined;
  return { state: "known", secret, inode: file.identity.inode };
}

/** Not Node's `recursive`: where a folder that exists takes none (/proc, automounters), it tries for ever. */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  for (let tries = 0; ; tries += 1) {
    try {
      const above = process.geteuid?.() === 0 ? statSync(parent).uid : 0;
      if (above !== 0 && statSync(folder, { throwIfNoEntry: false }) === undefined) {
        throw foreignFolder(parent, above);
      }
      mkdirSync(folder, 0o700);
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EEXIST") return;
      // A drive that is not there is its own parent.
      if (errno !== "ENOENT" || parent === folder || tries > 0) throw error;
      makeFolder(parent);
    }
  }
}

function appendDigits(folder: string, path: string, digits: string): void {
  makeFolder(folder);
  const descriptor = openSync(path, appendFlags, 0o600);
  try {
    // Whatever stands there now, also where it came between the look and this: judged by its descriptor.
    const problem = fileProblem(path, fstatSync(descriptor), "private", process.geteuid?.());
    if (problem !== undefined) {
      const { what, remedy } = problem;
      throw new OidcError("cache_insecure", `The file ${path} ${what}. It was not used.`, {
        remedy,
      });
    }
    writeSync(descriptor, digits);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const meanings: Readonly<Record<string, string>> = {
  EACCES: "not permitted",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "a part of the path is not a folder",
};

function meaningOf(error: unknown): string {
  const errno = errnoOf(isOidcError(error) ? error.cause : error);
  if (errno !== "") return meanings[errno] ?? errno;
  if (isOidcError(error)) return "it is not what Latchkey wrote";
  // A bug must not look like a fault of the disk.
  throw error;
}
