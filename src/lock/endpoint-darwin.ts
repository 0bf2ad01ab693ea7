// The kernel object that is the lock on macOS: a locked file, with a socket beside it that wakes waiters. Changes when
// taking or reaching it does. Its logic is tested on Linux; nobody has run it on macOS yet.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Server, Socket } from "node:net";
import { basename, dirname, isAbsolute, join } from "node:path";

import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import type { FileProblem } from "../files/remedy.ts";
import {
  checkPrivateFolderSync,
  errnoOf,
  fileProblem,
  readPrivateFileSync,
} from "../files/secure-read.ts";
import type { Endpoint, ReachResult, TakeResult } from "./endpoint.ts";
import { connectTo, isExhaustion, listenAt } from "./local-socket.ts";

/** What the lock on macOS is made of. */
export interface DarwinEndpointOptions {
  /** Folder of the `lock-id` file, absolute. The lock files lie below it. */
  readonly folder: string;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The user's own temporary folder. Default: the system's answer. */
  readonly temporaryFolder?: () => string;
  /** Opens and locks in one step. Default: the system's `open`. */
  readonly open?: (path: string, flags: number, mode: number) => number;
}

// Node's constants have no O_EXLOCK. 0x20 in bsd/sys/fcntl.h of Apple's xnu: "open with exclusive file lock".
const exclusiveLock = 0x20;
// With O_NONBLOCK a lock that is held is EAGAIN. libuv adds O_CLOEXEC (uv__fs_open), so that no child of the holder
// keeps the lock.
const openFlags: number =
  constants.O_RDWR |
  constants.O_CREAT |
  constants.O_NONBLOCK |
  constants.O_NOFOLLOW |
  exclusiveLock;

const lockNameCharacters = 32;
const maxFileBytes = 4096;
const maxOpenings = 3;
// sun_path holds 104 bytes with its NUL, and Node 20 cuts a longer path without a word (measured on Linux).
const maxSocketPathBytes = 103;
const socketNameBytes = 16;
const socketName = /^latchkey-[0-9a-f]{32}$/u;

/**
 * The lock on macOS. The lock file is never unlinked: whoever opened it before would lock another file than whoever
 * comes after. Where its socket cannot be made or reached the holder is "silent".
 */
export function createDarwinEndpoint(options: DarwinEndpointOptions): Endpoint {
  const { randomBytes, open = openSync } = options;
  const temporaryFolder =
    options.temporaryFolder ?? ((): string => process.getBuiltinModule("node:os").tmpdir());
  const folder = join(options.folder, "locks");
  const pathOf = (id: string): string => join(folder, `${id.slice(0, lockNameCharacters)}.lock`);

  return {
    async take(id, onConnection) {
      const path = pathOf(id);
      const opened = openLocked(folder, path, open);
      if (typeof opened !== "number") return opened;
      const place = ownFolder(temporaryFolder);
      removeLeftover(opened, place);
      const offered = await offer(place, randomBytes, onConnection);
      announce(opened, offered?.path);
      return {
        state: "taken",
        hold: {
          keptByConnections: false,
          free() {
            // This also removes the socket's file.
            offered?.server.close();
            closeSync(opened);
            return Promise.resolve();
          },
        },
      };
    },
    async reach(id): Promise<ReachResult> {
      const file = readLockFile(pathOf(id));
      if (file === "absent") return { state: "gone" };
      const path = parseSocketPath(file);
      if (path === undefined) return { state: "silent" };
      const reached = await connectTo(path);
      // Not "gone": the file may still name the socket of the holder before, until this one has written its own.
      return reached.state === "gone" ? { state: "silent" } : reached;
    },
  };
}

/** The descriptor of the locked file, or why there is none. */
function openLocked(
  folder: string,
  path: string,
  open: (path: string, flags: number, mode: number) => number,
): number | TakeResult {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkPrivateFolderSync(folder);
    for (let openings = 0; openings < maxOpenings; openings += 1) {
      const descriptor = open(path, openFlags, 0o600);
      if (isStillAt(path, descriptor)) return descriptor;
      closeSync(descriptor);
    }
    return { state: "held" };
  } catch (error) {
    if (isOidcError(error)) throw error;
    const why = errnoOf(error);
    if (why === "EAGAIN") return { state: "held" };
    if (why === "ELOOP") {
      throw insecure(path, { what: "is a symbolic link", remedy: ["Move it away."] }, error);
    }
    if (isExhaustion(why)) return { state: "exhausted", why };
    if (why !== "") return { state: "unavailable", why };
    throw error;
  }
}

/** True where the path still leads to the file that was locked; a lock on one that was removed excludes nobody. */
function isStillAt(path: string, descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    const problem = fileProblem(path, stats, "private", process.geteuid?.());
    if (problem !== undefined) throw insecure(path, problem);
    return lstatSync(path).ino === stats.ino;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    closeSync(descriptor);
    throw error;
  }
}

function insecure(path: string, { what, remedy }: FileProblem, cause?: unknown): OidcError {
  return new OidcError("cache_insecure", `The lock file ${path} ${what}. It was not used.`, {
    remedy,
    cause,
  });
}

/** The temporary folder where it is the user's alone: in a shared one anybody could take the socket's place. */
function ownFolder(temporaryFolder: () => string): string | undefined {
  try {
    const folder = temporaryFolder();
    return checkPrivateFolderSync(folder) === "private" ? folder : undefined;
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

/** A holder that was killed left its socket's file behind. Whoever holds the lock knows that it is dead. */
function removeLeftover(descriptor: number, place: string | undefined): void {
  try {
    const buffer = Buffer.alloc(maxFileBytes);
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    const path = parseSocketPath(buffer.subarray(0, length));
    if (path !== undefined && dirname(path) === place) unlinkSync(path);
  } catch {
    // It is gone already, or its folder is; nobody is harmed by a file that nobody listens at.
  }
}

async function offer(
  place: string | undefined,
  randomBytes: (length: number) => Uint8Array,
  onConnection: (socket: Socket) => void,
): Promise<{ readonly path: string; readonly server: Server } | undefined> {
  if (place === undefined) return undefined;
  const path = join(place, `latchkey-${Buffer.from(randomBytes(socketNameBytes)).toString("hex")}`);
  if (Buffer.byteLength(path) > maxSocketPathBytes) return undefined;
  const listening = await listenAt(path, onConnection);
  return listening.state === "listening" ? { path, server: listening.server } : undefined;
}

/** Says in the lock file where the holder listens: one line, empty where nowhere. */
function announce(descriptor: number, path: string | undefined): void {
  try {
    const bytes = Buffer.from(`${path ?? ""}\n`);
    writeSync(descriptor, bytes, 0, bytes.length, 0);
    ftruncateSync(descriptor, bytes.length);
  } catch {
    // A full disk: waiters find an old line or none, and try again instead of being woken.
  }
}

function readLockFile(path: string): Buffer | "absent" {
  try {
    return readPrivateFileSync(path, maxFileBytes) ?? "absent";
  } catch (error) {
    if (isErrorOf(error, "cache_unreadable")) return Buffer.alloc(0);
    throw error;
  }
}

/** The path in the first line, where it is whole and can only be one that this file wrote. */
function parseSocketPath(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString();
  const end = text.indexOf("\n");
  const path = text.slice(0, Math.max(end, 0));
  const isOurs = isAbsolute(path) && socketName.test(basename(path)) && !path.includes("\0");
  return isOurs && Buffer.byteLength(path) <= maxSocketPathBytes ? path : undefined;
}
