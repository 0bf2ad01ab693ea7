// The holding end: proves itself to waiters, tells them phase and outcome. Changes when the handshake does.

import type { Socket } from "node:net";

import type { Clock } from "../core/clock.ts";
import { emit, type Logger } from "../core/events.ts";
import { lockHeadStartSeconds, lockProofSeconds } from "../core/limits.ts";
import type { Hold } from "./endpoint.ts";
import {
  createLineReader,
  encodeHolderHello,
  encodeHolderMessage,
  parseNonce,
  parseProof,
  parseTakeOver,
} from "./message.ts";
import type { HolderMessage } from "./message.ts";
import { createSealer, isProof, proofBytes, prove } from "./proof.ts";
import type { LockKeys } from "./proof.ts";
import type { Lease, WorkOutcome, WorkPhase } from "./types.ts";

// Any user can connect to an abstract socket. Those that have not proved to be ours are few, short of time and
// allowed no longer lines than those of a waiter.
const maxUnproven = 256;
const maxWaiterLineBytes = 512;
// After the outcome a waiter that is still shaking hands gets a moment, without holding up anybody.
const lingerMilliseconds = 250;
// Those in the queue are let in before the holder's caller goes on; beyond both of these it is not held up for them.
// Time alone would turn them away on a busy machine, where this process gets no processor for as long (measured); the
// turns are what strangers, who can come without end, are able to cost it.
const maxDrainMilliseconds = 250;
const drainTurns = 2 * maxUnproven;

/** The holding end of one lock. */
export interface Holder {
  /** Takes a connection, from the moment at which the lock is taken. */
  accept(socket: Socket): void;
  lease(hold: Hold): Lease;
}

interface Visitor {
  readonly socket: Socket;
  proven: boolean;
  /** Undefined until its nonce has come. */
  tell: ((message: HolderMessage) => void) | undefined;
}

/** Makes the holding end, at the moment at which the lock is to be taken. */
export function createHolder(
  keys: LockKeys,
  clock: Clock,
  randomBytes: (length: number) => Uint8Array,
  logger?: Logger,
): Holder {
  const visitors = new Set<Visitor>();
  const since = Math.round(clock.now());
  let phase: WorkPhase = "refresh";
  let outcome: WorkOutcome | null = null;
  let freed: Promise<void> | undefined;
  /** Who asked for the lock. */
  let asker: Visitor | undefined;
  const takenOver = new AbortController();
  let postponedGreetings: (() => void)[] | undefined;
  // Counts connections and nonces, to see when there are no more.
  let progress = 0;

  const welcome = (visitor: Visitor, waiterNonce: Uint8Array): Uint8Array => {
    progress += 1;
    const holderNonce = randomBytes(proofBytes);
    const sealer = createSealer(keys, waiterNonce, holderNonce);
    const greet = (): void => {
      const proof = prove(keys, "holder", waiterNonce, holderNonce);
      // What follows the proof is sealed, so it need not wait for the waiter's: a waiter that the machine lets run
      // only after this process has ended still finds the outcome in its socket. A stranger finds noise of one length.
      const { pid: processId } = process;
      const news = encodeHolderMessage({ kind: "holder", processId, phase, since }, sealer);
      visitor.socket.write(encodeHolderHello(holderNonce, proof) + news);
      visitor.tell = (message) => visitor.socket.write(encodeHolderMessage(message, sealer));
    };
    if (postponedGreetings === undefined) greet();
    else postponedGreetings.push(greet);
    // After the drain: a straggler.
    if (freed !== undefined && postponedGreetings === undefined) dismiss(visitor, outcome);
    return holderNonce;
  };

  const evictOldestUnproven = (): void => {
    const unproven = [...visitors].filter((visitor) => !visitor.proven);
    if (unproven.length > maxUnproven) unproven[0]?.socket.destroy();
  };

  return {
    accept(socket) {
      const visitor: Visitor = { socket, proven: false, tell: undefined };
      visitors.add(visitor);
      progress += 1;
      evictOldestUnproven();
      socket.unref();
      const closed = new AbortController();
      socket.on("error", () => undefined);
      socket.once("close", () => {
        visitors.delete(visitor);
        closed.abort();
      });
      clock.sleep(lockProofSeconds * 1000, { signal: closed.signal, unref: true }).then(
        () => {
          if (!visitor.proven) socket.destroy();
        },
        () => undefined,
      );

      const reader = createLineReader(maxWaiterLineBytes);
      let nonces: { readonly waiter: Uint8Array; readonly holder: Uint8Array } | undefined;
      /** False where the other end does not keep to the protocol. */
      const onLine = (line: string): boolean => {
        if (nonces === undefined) {
          const waiter = parseNonce(line);
          if (waiter === undefined) return false;
          nonces = { waiter, holder: welcome(visitor, waiter) };
          return true;
        }
        const { waiter, holder } = nonces;
        if (!visitor.proven) {
          const proof = parseProof(line);
          visitor.proven = proof !== undefined && isProof(proof, keys, "waiter", waiter, holder);
          return visitor.proven;
        }
        const asked = parseTakeOver(line);
        if (asked === undefined || !isProof(asked, keys, "takeOver", waiter, holder)) return false;
        asker ??= visitor;
        takenOver.abort();
        return true;
      };
      socket.on("data", (chunk: Buffer) => {
        const lines = reader.push(chunk);
        if (lines === undefined || !lines.every(onLine)) socket.destroy();
      });
    },

    lease(hold) {
      return {
        held: true,
        acrossProcesses: true,
        takenOver: takenOver.signal,
        announce(next) {
          if (next === phase) return;
          phase = next;
          for (const visitor of visitors) visitor.tell?.({ kind: "phase", phase });
        },
        finish(result) {
          freed ??= free(hold, result);
          return freed;
        },
        abandon() {
          freed ??= free(hold, null);
          return freed;
        },
      };
    },
  };

  async function free(hold: Hold, result: WorkOutcome | null): Promise<void> {
    outcome = result;
    await drain();
    // Whoever asked is first: the others hear of it when the lock is taken again, or each of them might sign in instead.
    const first = result === null ? asker : undefined;
    for (const visitor of first === undefined ? visitors : [first]) dismiss(visitor, result);
    if (result !== null) emit(logger, "lock.told", { outcome: result.kind });
    if (hold.keptByConnections) await departures();
    await hold.free();
    if (result !== null) emit(logger, "lock.released", { outcome: result.kind });
    if (!hold.keptByConnections) {
      const milliseconds = first === undefined ? lingerMilliseconds : lockHeadStartSeconds * 1000;
      void clock.sleep(milliseconds, { unref: true }).then(destroyAll);
    }
  }

  function destroyAll(): void {
    for (const visitor of visitors) visitor.socket.destroy();
  }

  /** Waits until those who were told have left by themselves; whoever lingers is cut off. */
  async function departures(): Promise<void> {
    const allLeft = new AbortController();
    const check = (): void => {
      if (visitors.size === 0) allLeft.abort();
    };
    for (const { socket } of visitors) socket.once("close", check);
    check();
    // This timer keeps the process alive: whoever awaits `finish` has something to do after it.
    await clock.sleep(lingerMilliseconds, { signal: allLeft.signal }).catch(() => undefined);
    destroyAll();
  }

  /**
   * Lets those in who connected while this process was busy: without proof and outcome they would all try again, and
   * a sign-in that was refused would be asked for once more. libuv accepts one connection in a turn of the event loop
   * (measured: three turns told 2 of 20), so this goes on until three turns in a row bring nothing: the present one
   * ends, the next accepts, the one after reads. Nobody is answered before: a hundred waiters that wake one by one
   * would leave this process no processor to let in the rest (measured: 28 of 100).
   */
  async function drain(): Promise<void> {
    const greetings: (() => void)[] = [];
    postponedGreetings = greetings;
    const end = clock.monotonic() + maxDrainMilliseconds;
    let seen = progress;
    let quietTurns = 0;
    for (let turn = 0; turn < drainTurns || clock.monotonic() < end; turn += 1) {
      await nextTurn();
      quietTurns = progress === seen ? quietTurns + 1 : 0;
      if (quietTurns === 3) break;
      seen = progress;
    }
    postponedGreetings = undefined;
    for (const greet of greetings) greet();
  }
}

/** Tells the outcome and closes the sending half. The bytes are in the kernel when this returns. */
function dismiss(visitor: Visitor, outcome: WorkOutcome | null): void {
  if (visitor.tell === undefined) return;
  if (outcome !== null) visitor.tell(outcome);
  visitor.tell = undefined;
  // Not destroyed yet: a waiter whose proof meets a closed socket gets EPIPE before it has read the outcome.
  visitor.socket.end();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
