// The lock as a socket in the user's own folder, where no other user can take its place. Changes when taking or reaching
// it does.

import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
} from "node:fs";
import type { Server, Socket } from "node:net";
import { join } from "node:path";

import { isErrorOf, isOidcError } from "../core/errors.ts";
import { ensurePrivateFolder } from "../files/atomic-write.ts";
import { errnoOf } from "../files/secure-read.ts";
import type { Endpoint, ReachResult, TakeResult } from "./endpoint.ts";
import { connectTo, isExhaustion, listenAt } from "./local-socket.ts";
import { processNamespace } from "../files/processes.ts";

/** What the lock in a folder is made of. */
export interface FolderEndpointOptions {
  /** Folder of the `lock-id` file, absolute. The locks lie below it. */
  readonly folder: string;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** The number that was found last: of a holder that lives, or of one that does not. */
type Found =
  | { readonly state: "alive"; readonly socket: Socket }
  | { readonly state: "busy"; readonly why: string }
  | { readonly state: "dead"; readonly number: number };

const folderNameCharacters = 32;
const numberForm = /^[1-9]\d{0,14}$/u;
const socketForm = /^holder-(\d{1,10})-(\d{1,20})-[0-9a-f]{16}$/u;
const randomNameBytes = 8;
// sun_path of Linux holds 108 bytes with its NUL, and Node 20 cuts a longer path without a word (measured).
const maxSocketPathBytes = 107;
// Each further try has met somebody who took or freed the lock meanwhile.
const maxTries = 50;
const abandonedAfterMilliseconds = 60_000;

/** Folders in which a linked socket was reached: some file systems give the link an inode of its own. */
const provenFolders = new Set<string>();

/**
 * The lock in a folder of the user's own (0700). A socket at a path stays when its process dies, and whoever removes
 * such a one may remove the next one's; so none is replaced: each holder is a **number**, one above the last, and the
 * highest one is never removed.
 *
 * 1. The highest number is connected to. It answers: the lock is held. It refuses: that holder is gone, and the kernel
 *    says so at once, however it ended.
 * 2. A socket listens under a name of its own, and only then is linked to the next number: `link` lets one of many
 *    through, and nobody ever finds a number whose socket does not listen yet.
 * 3. Whoever finds a higher number after it has linked was late, and takes its own away again.
 *
 * docs/lock/take.pml is a model of these steps.
 */
export function createFolderEndpoint(options: FolderEndpointOptions): Endpoint {
  const { folder, randomBytes } = options;
  const placeOf = (id: string): string => join(folder, "locks", id.slice(0, folderNameCharacters));

  return {
    async take(id, onConnection) {
      const place = placeOf(id);
      try {
        await ensurePrivateFolder(place);
        for (let tries = 0; tries < maxTries; tries += 1) {
          const found = await find(place);
          if (found.state === "busy") return busy(found.why);
          if (found.state === "alive") {
            return { state: "held", reached: { state: "connected", socket: found.socket } };
          }
          const taken = await takeNumber(place, found.number + 1, randomBytes, onConnection);
          if (taken !== "late") return taken;
        }
        return { state: "held", reached: { state: "busy" } };
      } catch (error) {
        if (isErrorOf(error, "cache_insecure")) throw error;
        const why = errnoOf(isOidcError(error) ? error.cause : error);
        if (why === "" && !isOidcError(error)) throw error;
        return isExhaustion(why) ? { state: "exhausted", why } : { state: "unavailable", why };
      }
    },

    async reach(id): Promise<ReachResult> {
      try {
        const found = await find(placeOf(id));
        if (found.state === "alive") return { state: "connected", socket: found.socket };
        return found.state === "dead" ? { state: "gone" } : { state: "busy" };
      } catch (error) {
        if (errnoOf(error) === "") throw error;
        return { state: errnoOf(error) === "ENOENT" ? "gone" : "busy" };
      }
    },

    holderProcess: (id) => processOf(placeOf(id)),
  };
}

function busy(why: string): TakeResult {
  if (why === "EAGAIN") return { state: "held", reached: { state: "busy" } };
  return isExhaustion(why) ? { state: "exhausted", why } : { state: "unavailable", why };
}

function numbersIn(place: string): number[] {
  return readdirSync(place)
    .filter((name) => numberForm.test(name))
    .map(Number);
}

/** The highest number, and whether its holder lives. Listed names may be old (NFS), so the next ones are looked for. */
async function find(place: string): Promise<Found> {
  for (let number = Math.max(0, ...numbersIn(place)); ; number += 1) {
    if (number > 0) {
      const reached = await connectIn(place, String(number));
      if (reached.state === "connected") return { state: "alive", socket: reached.socket };
      if (reached.state === "busy") return { state: "busy", why: reached.why ?? "EAGAIN" };
    }
    if (!isThere(join(place, String(number + 1)))) return { state: "dead", number };
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function takeNumber(
  place: string,
  number: number,
  randomBytes: (length: number) => Uint8Array,
  onConnection: (socket: Socket) => void,
): Promise<TakeResult | "late"> {
  const random = Buffer.from(randomBytes(randomNameBytes)).toString("hex");
  const name = `holder-${String(process.pid)}-${processNamespace() ?? "0"}-${random}`;
  const listening = await atAddress(place, name, (address) => listenAt(address, onConnection));
  // Nobody else has this name.
  if (listening.state === "held") return { state: "unavailable", why: "EADDRINUSE" };
  if (listening.state !== "listening") return listening;
  const { server } = listening;
  const own = join(place, name);
  const numbered = join(place, String(number));
  const leave = (): void => {
    remove(own);
    server.close();
  };
  try {
    // Whatever the umask: a socket is connected to by whoever may write it.
    chmodSync(own, 0o600);
    linkSync(own, numbered);
  } catch (error) {
    leave();
    const errno = errnoOf(error);
    // Somebody was first, or tidied up a name that looked forgotten.
    if (errno === "EEXIST" || errno === "ENOENT") return "late";
    throw error;
  }
  try {
    if (Math.max(...numbersIn(place)) > number) {
      remove(numbered);
      leave();
      return "late";
    }
    if (!provenFolders.has(place)) {
      const reached = await connectIn(place, String(number));
      if (reached.state !== "connected") {
        leave();
        if (reached.state === "busy") return busy(reached.why ?? "EAGAIN");
        return { state: "unavailable", why: "a linked socket cannot be reached" };
      }
      reached.socket.destroy();
      provenFolders.add(place);
    }
  } catch (error) {
    // A socket that goes on listening is a holder that nobody outlasts.
    leave();
    throw error;
  }
  tidy(place, number, name);
  return { state: "taken", hold: holdOf(server, own) };
}

function holdOf(server: Server, own: string): { keptByConnections: false; free(): Promise<void> } {
  return {
    keptByConnections: false,
    free() {
      remove(own);
      // The kernel refuses from here on, whatever becomes of the connections.
      server.close();
      return Promise.resolve();
    },
  };
}

/** Removes what former holders have left. The last number but one stays: whoever lists at this moment sees one of both. */
function tidy(place: string, number: number, ownName: string): void {
  try {
    for (const name of readdirSync(place)) {
      const path = join(place, name);
      if (numberForm.test(name) && Number(name) < number - 1) remove(path);
      if (!socketForm.test(name) || name === ownName) continue;
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      // Linked to a number that is not the highest, or never linked.
      if (stats.nlink > 1 || stats.mtimeMs < Date.now() - abandonedAfterMilliseconds) remove(path);
    }
  } catch {
    // The next holder does it: the lock is taken.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already, or stays where it harms nobody.
  }
}

/** The process that has the highest number, as far as this one can see it: both names are one file. */
function processOf(place: string): number | undefined {
  try {
    const names = readdirSync(place);
    const number = Math.max(0, ...names.filter((name) => numberForm.test(name)).map(Number));
    const { ino } = lstatSync(join(place, String(number)));
    for (const name of names) {
      const [, processId, namespace] = socketForm.exec(name) ?? [];
      if (processId === undefined || namespace !== processNamespace()) continue;
      if (lstatSync(join(place, name)).ino === ino) return Number(processId);
    }
    return undefined;
  } catch {
    return undefined;
  }
}

function connectIn(place: string, name: string): Promise<ReachResult> {
  return atAddress(place, name, (address) => connectTo(address));
}

/** Hands on an address that is short enough, by way of the folder's descriptor where its path is too long. */
async function atAddress<Result>(
  place: string,
  name: string,
  use: (address: string) => Promise<Result>,
): Promise<Result> {
  const path = join(place, name);
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return use(path);
  const descriptor = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(`/proc/self/fd/${String(descriptor)}/${name}`);
  } finally {
    closeSync(descriptor);
  }
}
