// One piece of work for all processes: takes the lock, or shares the outcome of whoever holds it. Changes when what a
// waiter makes of another's outcome does.
//
// Calls that want a variant take a lock of their own for it before the key's: who waits for it wants the same and takes
// the outcome, failures included (or one refused variant costs every process a request and a window in turn). Under the
// key's lock, where refreshes have their order, others wait with other wants; a failure that is about the variant alone is
// not told to them.

import { nowSeconds } from "../core/clock.ts";
import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import { anyOfTimed } from "../core/timed-signal.ts";
import { lockHeadStartSeconds } from "../core/limits.ts";
import type { World } from "../core/world.ts";
import type { SessionRecord } from "../record/format.ts";
import type { FlightLock, Lease, SharedOutcome, WorkPhase } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import { lateWriteMilliseconds, otherHostMilliseconds } from "./refresh-intent.ts";
import type { RecordRepository } from "./record-repository.ts";
import { isTakenOver } from "./leaving.ts";
import type { RenewalTurn, RenewalTurns } from "./renewal-turns.ts";
import { appliesToWaiter, settledEvent, wasUpToPerson } from "./outcomes.ts";
import type { TokenAcquisition } from "./acquisition.ts";
import { isOutcomeFor, mayRefresh, matchRecord } from "./cache-match.ts";
import type { SessionConfig, TokenCriteria } from "./criteria.ts";
import { variantNameOf } from "./token-variant.ts";
import { concernsEverybody } from "./variant-errors.ts";
import type { AcquiredToken } from "./work.ts";

/** What the work is shared with. */
export interface SingleFlightParts {
  readonly world: World;
  readonly lock: FlightLock;
  readonly flows: Flows;
  readonly config: SessionConfig;
  readonly repository: RecordRepository;
  readonly acquisition: TokenAcquisition;
  readonly turns: RenewalTurns;
  readonly host: () => string;
}

type TellPhase = (phase: WorkPhase) => void;

/** What is to be done, for all calls of this process that want it. */
export interface SharedTask {
  readonly criteria: TokenCriteria;
  /** The record as it was looked at before. */
  readonly cached: SessionRecord | undefined;
  readonly signal: AbortSignal;
  /** Tells those calls what is being done. */
  readonly tell: TellPhase;
}

/** The same, with the locks that are held for it. */
interface LockingTask extends SharedTask {
  readonly turn: RenewalTurn;
  /** Whoever waits for one of them may ask for the sign-in. */
  readonly takenOver: readonly AbortSignal[];
}

/** The work under a lock. */
interface Held {
  readonly tell: TellPhase;
  /** Aborts with the last caller, and when the lock is lost. */
  readonly signal: AbortSignal;
  /** Whether other processes of this host are kept out. */
  readonly locked: boolean;
  readonly fence: number | undefined;
  readonly takenOver: readonly AbortSignal[];
}

/** One lock, and what is done under it. */
interface WorkUnderLock {
  readonly name: string;
  readonly longestWorkSeconds: (phase: WorkPhase) => number;
  /** Whether whoever holds or waits for it wants the same. */
  readonly isSameVariant: boolean;
  readonly work: (held: Held) => Promise<AcquiredToken>;
}

/** The work of one key. */
export class SingleFlight {
  readonly #parts: SingleFlightParts;
  /** Locks that this session holds: whoever waits for them here sees the sign-in itself. */
  readonly #held = new Set<string>();

  constructor(parts: SingleFlightParts) {
    this.#parts = parts;
  }

  /**
   * Does what is wanted, or gets it from who does it already.
   * @throws {OidcError} the outcome, one's own or the shared one.
   */
  async do(task: SharedTask): Promise<AcquiredToken> {
    const { flows, config, turns } = this.#parts;
    flows.assertConfigured();
    const turn = turns.of(config.issuer);
    try {
      return await this.#doInTurn({ ...task, turn, takenOver: [] });
    } finally {
      turn.release();
    }
  }

  async #doInTurn(task: LockingTask): Promise<AcquiredToken> {
    const { flows, config, acquisition } = this.#parts;
    const { criteria } = task;
    const variant = variantNameOf(criteria);
    const { refresh, login } = flows.longestWorkSeconds;
    const before = this.#secondsBeforeRefresh(task.cached);
    const underKey = async (locking: LockingTask): Promise<AcquiredToken> =>
      this.#runUnder(locking, {
        name: config.key,
        longestWorkSeconds: (phase) =>
          flows.longestWorkSeconds[phase] + (phase === "refresh" ? before : 0),
        isSameVariant: variant === "",
        work: ({ takenOver, ...held }) =>
          acquisition.acquire({ criteria, ...held, takenOver: AbortSignal.any([...takenOver]) }),
      });
    if (variant === "") return underKey(task);
    return this.#runUnder(task, {
      name: `${config.key} ${variant}`,
      // Its holder may have waited for another's sign-in before its own.
      longestWorkSeconds: () => 2 * (login + refresh + before),
      isSameVariant: true,
      work: ({ tell, signal, takenOver }) => underKey({ ...task, tell, signal, takenOver }),
    });
  }

  /** Whoever refreshes waits for another host's refresh first, and may look for a late write of it afterwards. */
  #secondsBeforeRefresh(cached: SessionRecord | undefined): number {
    const intent = cached?.intent;
    if (intent === undefined || intent.host === this.#parts.host()) return 0;
    return (otherHostMilliseconds + lateWriteMilliseconds) / 1000;
  }

  async #runUnder(locking: LockingTask, guarded: WorkUnderLock): Promise<AcquiredToken> {
    const { config, repository, world } = this.#parts;
    const { criteria, tell } = locking;
    for (;;) {
      await locking.turn.hold(locking.signal);
      const acquired = await this.#acquire(locking, guarded);
      if (acquired.held) {
        try {
          return await this.#underLock(acquired, locking, guarded);
        } catch (error) {
          // Nothing was sent, so this is one of those who wait.
          if (isOverdue(error) && !locking.signal.aborted) continue;
          // Who asked for an outer lock waits for that one.
          if (!isTakenOver(error) || acquired.takenOver?.aborted !== true) throw error;
          await this.#leaveTo(locking.signal);
          continue;
        }
      }
      const record = await repository.read();
      const now = nowSeconds(world.clock);
      const found = matchRecord(record, criteria, config, now);
      if (found !== undefined) return { record: found, source: "cache" };
      if (
        record !== undefined &&
        acquired.outcome?.kind === "done" &&
        acquired.outcome.version === record.version &&
        isOutcomeFor(record, criteria, config, now)
      ) {
        return { record, source: "cache" };
      }
      if (acquired.outcome?.kind === "failed") {
        const error = OidcError.deserialize(acquired.outcome.error);
        // Whoever needs no person is not refused with the one who did.
        const goesOn = wasUpToPerson(error) && mayRefresh(record, criteria, config, now);
        if (appliesToWaiter(error, criteria) && !(goesOn && guarded.name === config.key)) {
          throw error;
        }
      }
      tell("refresh");
    }
  }

  /** Lets the process that a person has turned to take the lock; this one waits for its outcome then. */
  async #leaveTo(signal: AbortSignal): Promise<void> {
    const { world } = this.#parts;
    world.prompt({
      type: "warning",
      code: "sign_in_taken_over",
      message:
        "Another window of yours signs in instead, because somebody pressed Enter there; this one waits for it. What is left in the browser of this sign-in counts no more.",
    });
    await world.clock.sleep(lockHeadStartSeconds * 1000, { signal });
  }

  async #acquire(locking: LockingTask, guarded: WorkUnderLock): Promise<Lease | SharedOutcome> {
    const { lock, world } = this.#parts;
    const { criteria, signal, tell, turn } = locking;
    let waiting = false;
    let failure: unknown;
    try {
      return await lock.acquire(guarded.name, {
        signal,
        longestWorkSeconds: guarded.longestWorkSeconds,
        waitForLogin: criteria.interactive,
        onWaiting: (holder) => {
          turn.release();
          tell(holder.phase);
          // A wait would hold a program that has nothing else to do; a while later the other's outcome is there. Whoever
          // has joined this call does not share its end, and waits by itself.
          if (criteria.quiet === true) throw new OidcError("aborted", "Left to another process.");
          if (this.#held.has(guarded.name)) return;
          waiting = true;
          world.prompt({ type: "waitingForOther", ...holder });
        },
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      if (waiting) world.prompt(settledEvent(failure));
    }
  }

  async #underLock(
    lease: Lease,
    locking: LockingTask,
    guarded: WorkUnderLock,
  ): Promise<AcquiredToken> {
    let doing: WorkPhase = "refresh";
    const tell = (phase: WorkPhase): void => {
      doing = phase;
      // A person takes minutes.
      if (phase === "login") locking.turn.release();
      locking.tell(phase);
      lease.announce(phase);
    };
    this.#held.add(guarded.name);
    try {
      const asked = lease.takenOver === undefined ? [] : [lease.takenOver];
      const result = await guarded.work({
        tell,
        signal: anyOfTimed(locking.signal, lease),
        locked: lease.acrossProcesses,
        fence: lease.fence,
        takenOver: [...locking.takenOver, ...asked],
      });
      this.#held.delete(guarded.name);
      await lease.finish({ kind: "done", version: result.record.version });
      return result;
    } catch (failure) {
      this.#held.delete(guarded.name);
      const isLost = lease.signal?.aborted === true && !locking.signal.aborted;
      // Where nothing was sent the work can begin anew by itself, unless a person had a part in it.
      const isRepeatable = doing === "refresh" && isOverdue(failure);
      const error = isLost && !isRepeatable ? lockLost(failure) : failure;
      await (isOidcError(error) &&
      !isTakenOver(error) &&
      (guarded.isSameVariant || concernsEverybody(error))
        ? lease.finish({ kind: "failed", error: error.serialize() })
        : lease.abandon());
      throw error;
    }
  }
}

/** The time of the lock was over before anything was sent. */
function isOverdue(error: unknown): boolean {
  return isErrorOf(error, "store_unavailable", "lock_overdue");
}

/** Somebody else may be at the same work by now. */
function lockLost(cause: unknown): OidcError {
  return new OidcError(
    "store_unavailable",
    "The lock of the sign-in was lost while it was renewed, so the renewal was given up.",
    {
      reason: "lock_lost",
      remedy: "Try again; if it stays this way, see how the server of the store is doing.",
      cause,
    },
  );
}
