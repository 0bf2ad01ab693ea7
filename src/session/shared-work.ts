// One piece of work for all processes: takes the lock, or shares the outcome of whoever holds it. Changes when what a
// waiter makes of another's outcome does.
//
// Calls with a wish take a lock of their own for that wish before the key's: who waits for it wants the same and takes
// the outcome, failures included (or one refused wish costs every process a request and a window in turn). Under the
// key's lock, where refreshes have their order, others wait with other wants; a failure that is about the wish alone is
// not told to them.

import { isOidcError, OidcError } from "../core/errors.ts";
import { lockHeadStartSeconds } from "../core/limits.ts";
import type { World } from "../core/world.ts";
import type { Lease, SharedOutcome, TokenStore, WorkPhase } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import { lateWriteMilliseconds, otherHostMilliseconds } from "./intent.ts";
import type { Keeper } from "./keeper.ts";
import { isTakenOver } from "./leaving.ts";
import { isShared, settledEvent, wasUpToPerson } from "./outcomes.ts";
import type { Renewal, Result } from "./renewal.ts";
import { isOutcomeFor, mayRefresh, satisfying, type Bound, type Wanted } from "./satisfy.ts";
import { wishNameOf } from "./wish.ts";
import { concernsEverybody } from "./wish-errors.ts";

/** What the work is shared with. */
export interface SharedWorkParts {
  readonly world: World;
  readonly store: TokenStore;
  readonly flows: Flows;
  readonly bound: Bound;
  readonly keeper: Keeper;
  readonly renewal: Renewal;
  readonly host: () => string;
}

type Announce = (phase: WorkPhase) => void;

/** One flight's way through the locks. */
interface Passage {
  readonly wanted: Wanted;
  readonly signal: AbortSignal;
  readonly announce: Announce;
  /** Locks that are held on the way: whoever waits for one of them may ask for the sign-in. */
  readonly takenOver: readonly AbortSignal[];
}

/** One lock, and what is done under it. */
interface Gate {
  readonly name: string;
  readonly longestWorkSeconds: (phase: WorkPhase) => number;
  /** Whether whoever holds or waits for it wants the same. */
  readonly sameWish: boolean;
  readonly work: (
    tell: Announce,
    locked: boolean,
    takenOver: readonly AbortSignal[],
  ) => Promise<Result>;
}

/** The work of one key. */
export class SharedWork {
  readonly #parts: SharedWorkParts;
  /** Locks that this session holds: whoever waits for them here sees the sign-in itself. */
  readonly #held = new Set<string>();

  constructor(parts: SharedWorkParts) {
    this.#parts = parts;
  }

  /**
   * Does what is wanted, or gets it from who does it already.
   * @throws {OidcError} the outcome, one's own or the shared one.
   */
  async do(wanted: Wanted, signal: AbortSignal, announce: Announce): Promise<Result> {
    const { flows, bound, renewal } = this.#parts;
    flows.assertConfigured();
    const wish = wishNameOf(wanted);
    const { refresh, login } = flows.longestWorkSeconds;
    const before = await this.#secondsBeforeRefresh();
    const underKey = async (tell: Announce, outer: readonly AbortSignal[] = []): Promise<Result> =>
      this.#pass(
        { wanted, signal, announce: tell, takenOver: outer },
        {
          name: bound.key,
          longestWorkSeconds: (phase) =>
            flows.longestWorkSeconds[phase] + (phase === "refresh" ? before : 0),
          sameWish: wish === "",
          work: (tellAll, locked, signals) => {
            const takenOver = AbortSignal.any([...signals]);
            return renewal.renew({ wanted, signal, tell: tellAll, locked, takenOver });
          },
        },
      );
    if (wish === "") return underKey(announce);
    return this.#pass(
      { wanted, signal, announce, takenOver: [] },
      {
        name: `${bound.key} ${wish}`,
        // Its holder may have waited for another's sign-in before its own.
        longestWorkSeconds: () => 2 * (login + refresh + before),
        sameWish: true,
        work: (tell, _locked, signals) => underKey(tell, signals),
      },
    );
  }

  /** Whoever refreshes waits for another host's refresh first, and may look for a late write of it afterwards. */
  async #secondsBeforeRefresh(): Promise<number> {
    const { keeper, host } = this.#parts;
    const intent = (await keeper.read())?.intent;
    if (intent === undefined || intent.host === host()) return 0;
    return (otherHostMilliseconds + lateWriteMilliseconds) / 1000;
  }

  async #pass(passage: Passage, gate: Gate): Promise<Result> {
    const { bound, keeper, world } = this.#parts;
    const { wanted, announce } = passage;
    for (;;) {
      const acquired = await this.#acquire(passage, gate);
      if (acquired.held) {
        try {
          return await this.#underLock(acquired, passage, gate);
        } catch (error) {
          // Who asked for an outer lock waits for that one.
          if (!isTakenOver(error) || acquired.takenOver?.aborted !== true) throw error;
          await this.#leaveTo(passage.signal);
          continue;
        }
      }
      const record = await keeper.read();
      const nowSeconds = world.clock.now() / 1000;
      const found = satisfying(record, wanted, bound, nowSeconds);
      if (found !== undefined) return { record: found, source: "cache" };
      if (
        record !== undefined &&
        acquired.outcome?.kind === "done" &&
        acquired.outcome.version === record.version &&
        isOutcomeFor(record, wanted, bound, nowSeconds)
      ) {
        return { record, source: "cache" };
      }
      if (acquired.outcome?.kind === "failed") {
        const error = OidcError.deserialize(acquired.outcome.error);
        // Whoever needs no person is not refused with the one who did.
        const goesOn = wasUpToPerson(error) && mayRefresh(record, wanted, bound, nowSeconds);
        if (isShared(error, wanted) && !(goesOn && gate.name === bound.key)) throw error;
      }
      announce("refresh");
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

  async #acquire(passage: Passage, gate: Gate): Promise<Lease | SharedOutcome> {
    const { store, world } = this.#parts;
    const { wanted, signal, announce } = passage;
    let waiting = false;
    let failure: unknown;
    try {
      return await store.acquire(gate.name, {
        signal,
        longestWorkSeconds: gate.longestWorkSeconds,
        waitForLogin: wanted.interactive,
        onWaiting: (holder) => {
          announce(holder.phase);
          // A wait would hold a program that has nothing else to do; a while later the other's outcome is there. Whoever
          // has joined this call does not share its end, and waits by itself.
          if (wanted.quiet === true) throw new OidcError("aborted", "Left to another process.");
          if (this.#held.has(gate.name)) return;
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

  async #underLock(lease: Lease, passage: Passage, gate: Gate): Promise<Result> {
    const tell = (phase: WorkPhase): void => {
      passage.announce(phase);
      lease.announce(phase);
    };
    this.#held.add(gate.name);
    try {
      const asked = lease.takenOver === undefined ? [] : [lease.takenOver];
      const result = await gate.work(tell, lease.acrossProcesses, [...passage.takenOver, ...asked]);
      this.#held.delete(gate.name);
      await lease.finish({ kind: "done", version: result.record.version });
      return result;
    } catch (error) {
      this.#held.delete(gate.name);
      await (isOidcError(error) &&
      !isTakenOver(error) &&
      (gate.sameWish || concernsEverybody(error))
        ? lease.finish({ kind: "failed", error: error.serialize() })
        : lease.abandon());
      throw error;
    }
  }
}
