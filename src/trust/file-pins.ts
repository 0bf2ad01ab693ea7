// Pins in a file of their own, shared by all processes of the user. It goes by the one guarded way to the disk.

import { dirname } from "node:path";

import type { Clock } from "../core/clock.ts";
import { decisionsOf, isOidcError, OidcError } from "../core/errors.ts";
import { run, say } from "../core/wording.ts";
import {
  ensurePrivateFolder,
  removePrivateFile,
  writeFileAtomically,
} from "../files/atomic-write.ts";
import { typedPath } from "../files/remedy.ts";
import {
  checkPrivateFileSync,
  isSameIdentity,
  readPrivateGuardedFileSync,
  type FileIdentity,
} from "../files/secure-read.ts";
import type { FlightLock, Lease, WaitedFor } from "../lock/types.ts";
import { createFileLock, placeOfFile, type FileLock } from "../store/file-lock.ts";
import { createMemoryPins } from "./memory-pins.ts";
import { formatPinFile, maxPinFileBytes, parsePinFile, pinFilePath } from "./pin-file.ts";
import { isSamePin, type Pin, type PinStore, type ServerPin } from "./pins.ts";

/** What the pins' file depends on. */
export interface FilePinsOptions {
  /** Latchkey's own folder. */
  readonly folder: string;
  /** The lock across processes. */
  readonly lock: FlightLock;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Longest time that somebody is given for an answer, in seconds. */
  readonly maxAnswerSeconds: number;
  /** Told whose question is waited for. Default: nobody. */
  readonly onWaiting?: ((holder: WaitedFor) => void) | undefined;
}

/** What is in the file, and which state of it that was. */
interface Look {
  readonly pins: readonly ServerPin[];
  readonly identity: FileIdentity | undefined;
}

// A change meets another one only where the file's lock is not to be had.
const maxTries = 20;

/**
 * What cannot be understood is left as it is: a server that was set aside with it would count as new, and its changed
 * answer as a first one.
 */
function unusable(path: string, why: string, remedy: OidcError["remedy"]): OidcError {
  return new OidcError(
    "cache_unreadable",
    `The file ${path}, which says what was accepted from which server, cannot be used: ${why}. It was left as it is.`,
    { remedy },
  );
}

function lookAt(path: string): Look {
  const file = readPrivateGuardedFileSync(path, maxPinFileBytes);
  if (file === undefined) return { pins: [], identity: undefined };
  const read = parsePinFile(file.bytes.toString("utf8"));
  if (read.state === "newer") {
    throw unusable(path, "a later version of Latchkey wrote it", ["Update this one."]);
  }
  if (read.state === "damaged") {
    throw unusable(
      path,
      read.why,
      say`Mend it, or remove it, and every server is asked about anew: ${run(`rm ${typedPath(path)}`)}`,
    );
  }
  return { pins: read.pins, identity: file.identity };
}

class FilePins implements PinStore {
  readonly #options: FilePinsOptions;
  readonly #path: string;
  readonly #fileLock: FileLock;

  constructor(options: FilePinsOptions) {
    this.#options = options;
    this.#path = pinFilePath(options.folder);
    this.#fileLock = createFileLock(options.lock, options.clock);
  }

  read(server: string): Promise<Pin | undefined> {
    return this.#looked((pins) => pins.find((pin) => pin.server === server));
  }

  list(): Promise<readonly ServerPin[]> {
    return this.#looked((pins) => pins);
  }

  async replace(
    server: string,
    expected: Pin | undefined,
    next: Omit<Pin, "pinnedAt"> | undefined,
  ): Promise<boolean> {
    const { folder, clock } = this.#options;
    if (next !== undefined) await ensurePrivateFolder(folder);
    return this.#fileLock(this.#path, async () => {
      for (let tries = 0; tries < maxTries; tries += 1) {
        const look = lookAt(this.#path);
        const current = look.pins.find((pin) => pin.server === server);
        if (!isSamePin(current, expected)) return false;
        if (next === undefined && current === undefined) return true;
        const others = look.pins.filter((pin) => pin !== current);
        const pinned = next === undefined ? [] : [{ ...next, server, pinnedAt: clock.now() }];
        if (await this.#write([...others, ...pinned], look.identity)) return true;
      }
      throw new OidcError(
        "cache_write_failed",
        `The file ${this.#path} is being changed by other programs all the time.`,
        { reason: "changed_meanwhile", remedy: "End those that you do not need, and try again." },
      );
    });
  }

  async askAlone<Answer>(
    server: string,
    signal: AbortSignal = new AbortController().signal,
    ask: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { lock, maxAnswerSeconds, onWaiting } = this.#options;
    const name = `trust:${await this.#place()}:${server}`;
    for (;;) {
      const taken = await lock.acquire(name, {
        signal,
        longestWorkSeconds: () => maxAnswerSeconds,
        waitForLogin: true,
        onWaiting: (holder) => {
          const { takeOver: _not, ...whom } = holder;
          onWaiting?.(whom);
        },
      });
      if (taken.held) return askUnder(taken, ask);
      // The same person was asked there, and has said no or nothing.
      if (taken.outcome?.kind === "failed") throw OidcError.deserialize(taken.outcome.error);
      if (taken.outcome?.kind === "done") return undefined;
    }
  }

  /** Where no folder can be made there is nothing to wait for each other by, but this process's own order. */
  async #place(): Promise<string> {
    try {
      await ensurePrivateFolder(dirname(this.#path));
    } catch (error) {
      if (!isOidcError(error)) throw error;
    }
    return placeOfFile(this.#path);
  }

  async #looked<Result>(use: (pins: readonly ServerPin[]) => Result): Promise<Result> {
    return Promise.resolve().then(() => use(lookAt(this.#path).pins));
  }

  /** False where the file is another one than the one that was looked at. */
  async #write(pins: readonly ServerPin[], identity: FileIdentity | undefined): Promise<boolean> {
    const { randomBytes, clock } = this.#options;
    const isUnchanged = (): boolean => isSameIdentity(identity, checkPrivateFileSync(this.#path));
    if (pins.length === 0) {
      if (!isUnchanged()) return false;
      await removePrivateFile(this.#path);
      return true;
    }
    const text = formatPinFile(pins);
    if (Buffer.byteLength(text) > maxPinFileBytes) {
      throw new OidcError(
        "cache_write_failed",
        `The file ${this.#path} would be longer than ${String(maxPinFileBytes)} bytes.`,
        { reason: "too_large", remedy: "Forget servers that are no longer used." },
      );
    }
    const onlyIf = isUnchanged;
    return writeFileAtomically(this.#path, text, { randomBytes, clock, onlyIf, isJudged: true });
  }
}

/** Asks while the lock is held, and tells whoever waits for it how that ended. */
async function askUnder<Answer>(lease: Lease, ask: () => Promise<Answer>): Promise<Answer> {
  lease.announce("login");
  try {
    const answer = await ask();
    await lease.finish({ kind: "done", version: "answered" });
    return answer;
  } catch (error) {
    // Whoever gave up here has answered for nobody else.
    const isShared = isOidcError(error) && decisionsOf(error)?.concerns !== "caller";
    await (isShared ? lease.finish({ kind: "failed", error: error.serialize() }) : lease.abandon());
    throw error;
  }
}

/**
 * Opens the pins of a folder. Nothing is read or written yet. What is no address is an object of a program, whose name
 * means nothing to another process: its pins stay in this one.
 */
export function createFilePins(options: FilePinsOptions): PinStore {
  const ofAddresses = new FilePins(options);
  const ofObjects = createMemoryPins(options.clock);
  const storeOf = (server: string): PinStore => (URL.canParse(server) ? ofAddresses : ofObjects);
  return {
    read: (server) => storeOf(server).read(server),
    list: () => ofAddresses.list(),
    replace: (server, expected, next) => storeOf(server).replace(server, expected, next),
    askAlone: (server, signal, ask) => storeOf(server).askAlone(server, signal, ask),
  };
}
