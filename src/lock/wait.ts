// The rules of waiting for another's work, whatever carries its words. Changes when step 3 or 4 of
// docs/lock/protocol.md does.

import type { Clock } from "../core/clock.ts";
import { isErrorOf, OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { lockGraceSeconds, lockProofSeconds, lockStoppedSeconds } from "../core/limits.ts";
import { counted } from "../core/words.ts";
import { run, say } from "../core/wording.ts";
import type { HolderMessage } from "./message.ts";
import { isStopped } from "../files/processes.ts";
import { startRunningTime } from "./running-time.ts";
import type { AcquireOptions, SharedOutcome, WorkPhase } from "./types.ts";

/** What one `acquire` waits with. */
export interface WaitContext {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger: Logger | undefined;
  /** The process that has the lock, as far as the system tells: for one that says nothing itself. */
  readonly holderProcess?: (() => number | undefined) | undefined;
  readonly options: AcquireOptions;
}

/** One try at waiting for one holder. */
export interface Attempt {
  /** What the holder shared; "again" where it went before it had proved itself. Rejects when the wait is over. */
  readonly result: Promise<SharedOutcome | "again">;
  /** A message of the proven holder. */
  hear(message: HolderMessage): void;
  /** The holder can be asked to leave its sign-in to this waiter; once. */
  canTakeOver(ask: () => void): void;
  /** The holder is gone. */
  end(): void;
}

/** All tries of one `acquire`, under one budget of time. */
export interface Wait {
  attempt(): Attempt;
  /** Waits for a random time between the two, so that waiters do not all come back at once. */
  pause(shortestMilliseconds: number, maxMilliseconds: number): Promise<void>;
  /** Throws {@link isUnproven}, naming the obstacle, when the time for a first proof is used up. */
  assertProofPossible(obstacle: string): void;
  /** Throws `cache_locked` when as much time is used up without a descriptor or memory. */
  assertResourcesPossible(why: string): void;
  /** Throws `cache_locked` when the time for the work of a holder that tells nothing is used up. */
  assertWorkPossible(): void;
  /** Milliseconds since the wait began. */
  elapsedMilliseconds(): number;
  stop(): void;
}

/** Begins to wait. Call `stop` in every case. */
export function startWait(context: WaitContext): Wait {
  const { clock, options } = context;
  const began = clock.monotonic();
  const runningTime = startRunningTime(clock);
  const proofMilliseconds = lockProofSeconds * 1000;

  return {
    attempt: () => createAttempt(context, runningTime, proofMilliseconds),
    async pause(shortestMilliseconds, maxMilliseconds) {
      const share = (context.randomBytes(1)[0] ?? 0) / 256;
      await clock.sleep(shortestMilliseconds + share * (maxMilliseconds - shortestMilliseconds), {
        signal: options.signal,
      });
    },
    assertProofPossible(obstacle) {
      if (runningTime.milliseconds >= proofMilliseconds) throw unproven(obstacle, context);
    },
    assertResourcesPossible(why) {
      if (runningTime.milliseconds >= proofMilliseconds) throw exhausted(why);
    },
    assertWorkPossible() {
      const phases: readonly WorkPhase[] = options.waitForLogin
        ? ["refresh", "login"]
        : ["refresh"];
      const limit = Math.max(...phases.map(options.longestWorkSeconds)) + lockGraceSeconds;
      if (runningTime.milliseconds >= limit * 1000) throw silent(limit);
    },
    elapsedMilliseconds: () => Math.round(clock.monotonic() - began),
    stop: () => runningTime.stop(),
  };
}

function createAttempt(
  context: WaitContext,
  runningTime: ReturnType<typeof startRunningTime>,
  proofMilliseconds: number,
): Attempt {
  const { options, logger } = context;
  let processId: number | undefined;
  let phase: WorkPhase | undefined;
  let takeOver: (() => void) | undefined;
  // Since when each phase is known. A holder that repeats itself does not get more time.
  const heardAt: Partial<Record<WorkPhase, number>> = {};
  let isSettled = false;
  let settle: (settled: { value: SharedOutcome | "again" } | { error: unknown }) => void;
  const result = new Promise<SharedOutcome | "again">((resolve, reject) => {
    settle = (settled) => {
      isSettled = true;
      runningTime.onTick = undefined;
      options.signal.removeEventListener("abort", onAbort);
      if ("value" in settled) resolve(settled.value);
      else reject(settled.error);
    };
  });

  const onAbort = (): void => settle({ error: options.signal.reason });
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  let lookedAt = runningTime.milliseconds;
  let stoppedSince: number | undefined;
  /** The process that holds the lock, once it has been seen stopped for so long that it will not go on by itself. */
  const stoppedHolder = (): number | undefined => {
    const now = runningTime.milliseconds;
    if (now - lookedAt < lookMilliseconds) return undefined;
    lookedAt = now;
    const holder = phase === undefined ? context.holderProcess?.() : processId;
    const isHolderStopped = holder !== undefined && holder !== process.pid && isStopped(holder);
    stoppedSince = isHolderStopped ? (stoppedSince ?? now) : undefined;
    const isLong = stoppedSince !== undefined && now - stoppedSince >= lockStoppedSeconds * 1000;
    return isLong ? holder : undefined;
  };

  runningTime.onTick = () => {
    const stopped = stoppedHolder();
    if (stopped !== undefined) {
      settle({ error: holderStopped(stopped) });
      return;
    }
    if (phase === undefined) {
      if (runningTime.milliseconds >= proofMilliseconds) {
        const obstacle = "whoever holds it does not prove to be Latchkey run by you";
        settle({ error: unproven(obstacle, context) });
      }
      return;
    }
    const limit = options.longestWorkSeconds(phase) + lockGraceSeconds;
    if (runningTime.milliseconds - (heardAt[phase] ?? 0) >= limit * 1000) {
      settle({ error: tooLong(processId, phase, limit) });
    }
  };

  const hearPhase = (heard: WorkPhase): void => {
    if (heard === phase) return;
    phase = heard;
    heardAt[heard] ??= runningTime.milliseconds;
    if (heard === "login" && !options.waitForLogin) {
      settle({ error: pending(processId) });
      return;
    }
    const holder = { ...(processId === undefined ? {} : { processId }), phase: heard };
    emit(logger, "lock.waiting", holder);
    // A refresh is over in a moment, and must not be cut off.
    options.onWaiting({
      ...holder,
      ...(heard === "login" && takeOver !== undefined ? { takeOver } : {}),
    });
  };

  return {
    result,
    hear(message) {
      if (isSettled) return;
      // What the caller's `onWaiting` throws is the caller's to see, not a crash in a socket's event.
      try {
        if (message.kind === "holder") ({ processId } = message);
        if (message.kind === "holder" || message.kind === "phase") hearPhase(message.phase);
        else settle({ value: { held: false, outcome: message } });
      } catch (error) {
        settle({ error });
      }
    },
    canTakeOver(ask) {
      let isAsked = false;
      takeOver = () => {
        if (isAsked || isSettled) return;
        isAsked = true;
        ask();
      };
    },
    end() {
      settle({ value: phase === undefined ? "again" : { held: false, outcome: null } });
    },
  };
}

// How often a holder is looked at that may have been stopped.
const lookMilliseconds = 1000;

function nameOf(processId: number | undefined): string {
  if (processId === process.pid) return "Another call in this process";
  return processId === undefined ? "Another program of yours" : `Process ${processId}`;
}

const work: Readonly<Record<WorkPhase, string>> = {
  refresh: "renewing the token",
  login: "signing in",
};

function tooLong(processId: number | undefined, phase: WorkPhase, seconds: number): OidcError {
  const other = processId !== undefined && processId !== process.pid;
  return new OidcError(
    "cache_locked",
    `${nameOf(processId)} is still ${work[phase]} after ${counted(seconds, "second")}, longer than that can take (lock).`,
    {
      remedy: other
        ? say`See whether it hangs, end it where it does (${run(`kill ${processId}`)}), and try again.`
        : "Try again; if it stays this way, start this program anew.",
    },
  );
}

function pending(processId: number | undefined): OidcError {
  return new OidcError(
    "interaction_pending",
    `${nameOf(processId)} is signing in, and this call does not wait for a person (lock).`,
    { remedy: "Try again when that sign-in is done." },
  );
}

const endPrograms = "Try again; if it stays this way, end the programs that use Latchkey.";

function silent(seconds: number): OidcError {
  return new OidcError(
    "cache_locked",
    `Another process holds the lock of this sign-in, and after ${counted(seconds, "second")} has not freed it, longer than its work can take (lock).`,
    { remedy: endPrograms },
  );
}

/** True for the error of a wait for somebody who never proved to hold the lock. */
export function isUnproven(error: unknown): boolean {
  return isErrorOf(error, "cache_locked", "holder_unproven");
}

function unproven(obstacle: string, { holderProcess }: WaitContext): OidcError {
  const processId = holderProcess?.();
  return new OidcError(
    "cache_locked",
    `The lock of this sign-in was not free within ${lockProofSeconds} seconds: ${obstacle} (lock).`,
    {
      reason: "holder_unproven",
      remedy:
        processId === undefined
          ? endPrograms
          : say`Try again; if it stays this way, see whether process ${processId} hangs, and end it where it does (${run(`kill ${processId}`)}).`,
    },
  );
}

function exhausted(why: string): OidcError {
  return new OidcError(
    "cache_locked",
    `The lock of this sign-in could not be had within ${lockProofSeconds} seconds: this process has no file descriptors or memory left for it (${why}).`,
    {
      remedy:
        why === "EMFILE"
          ? say`Raise the limit (${run("ulimit -n")}), and try again.`
          : "Close other programs, and try again.",
    },
  );
}

function holderStopped(processId: number): OidcError {
  return new OidcError(
    "cache_locked",
    `Process ${processId} holds the lock of this sign-in, and it is stopped (lock).`,
    {
      reason: "holder_stopped",
      remedy: say`Let it go on (${run("fg")} in its terminal, or ${run(`kill -CONT ${processId}`)}), or end it (${run(`kill -KILL ${processId}`)}); then try again.`,
    },
  );
}
