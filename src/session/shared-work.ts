// One piece of work for all processes: takes the lock, or shares the outcome of whoever holds it. Changes when what a
// waiter makes of another's outcome does.
//
// Calls with a wish take a lock of their own for that wish before the key's: who waits for it wants the same and takes
// the outcome, failures included (or one refused wish costs every process a request and a window in turn). Under the
// key's lock, where refreshes have their order, others wait with other wants; a failure that is about the wish alone is
// not told to them.

import { isOidcError, OidcError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { Lease, SharedOutcome, TokenStore, WorkPhase } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import { lateWriteMilliseconds, otherHostMilliseconds } from "./intent.ts";
import type { Keeper } from "./keeper.ts";
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
}

/** One lock, and what is done under it. */
interface Gate {
  readonly name: string;
  readonly longestWorkSeconds: (phase: WorkPhase) => number;
  /** Whether whoever holds or waits for it wants the same. */
  readonly sameWish: boolean;
  readonly work: (tell: Announce, locked: boolean) => Promise<Result>;
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
    const underKey = async (tell: Announce): Promise<Result> =>
      this.#pass(
        { wanted, signal, announce: tell },
        {
          name: bound.key,
          longestWorkSeconds: (phase) =>
            flows.longestWorkSeconds[phase] + (phase === "refresh" ? before : 0),
          sameWish: wish === "",
          work: (tellAll, locked) => renewal.renew({ wanted, signal, tell: tellAll, locked }),
        },
      );
    if (wish === "") return underKey(announce);
    return this.#pass(
      { wanted, signal, announce },
      {
        name: `${bound.key} ${wish}`,
        // Its holder may have waited for another's sign-in before its own.
        longestWorkSeconds: () => 2 * (login + refresh + before),
        sameWish: true,
        work: (tell) => underKey(tell),
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
      if (acquired.held) return this.#underLock(acquired, passage, gate);
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
      const result = await gate.work(tell, lease.acrossProcesses);
      this.#held.delete(gate.name);
      await lease.finish({ kind: "done", version: result.record.version });
      return result;
    } catch (error) {
      this.#held.delete(gate.name);
      await (isOidcError(error) && (gate.sameWish || concernsEverybody(error))
        ? lease.finish({ kind: "failed", error: error.serialize() })
        : lease.abandon());
      throw error;
    }
  }
}
