// A lock in Redis that this process holds: renewed while the work goes on, over when its time is. Changes when the rules of
// the lease do.

import type { Clock } from "../../core/clock.ts";
import { OidcError } from "../../core/errors.ts";

/** How long a lease lasts, in milliseconds. */
export interface LeaseTimes {
  /** From the moment in which Redis was asked for it. */
  readonly lease: number;
  /** Between two renewals. */
  readonly renewal: number;
  /** The work ends so long before the lease does: a request that was just sent is on its way for some time. */
  readonly margin: number;
}

/** Times that outlast a restart of Redis, and an election among its replicas. */
export const leaseTimes: LeaseTimes = { lease: 30_000, renewal: 8000, margin: 5000 };

/** Keeps a lease alive. */
export class LeaseClock {
  readonly #clock: Clock;
  readonly #times: LeaseTimes;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #granted: { readonly monotonic: number; readonly now: number };

  /** @param askedAt when Redis was asked for the lease, by both clocks. */
  constructor(clock: Clock, times: LeaseTimes, askedAt: { monotonic: number; now: number }) {
    this.#clock = clock;
    this.#times = times;
    this.#granted = askedAt;
  }

  /** Aborts when the work must end. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Aborts the signal where the work's time is over. By both clocks: the monotonic one stands still while a machine
   * sleeps, the other one can be set back.
   */
  readonly expireIfOverdue = (): void => {
    if (this.#millisecondsLeft() > 0 || this.#stopped.signal.aborted) return;
    this.#lost.abort(
      new OidcError(
        "store_unavailable",
        "The time of the lock was over before the request was sent, so it was not sent.",
        {
          reason: "lock_overdue",
          remedy: "Try again; if it stays this way, see how quickly Redis answers.",
        },
      ),
    );
  };

  /**
   * Renews until it is stopped. `renew` gives false where somebody else has the lock, and throws while nobody knows, by the
   * end of the work at the latest.
   */
  async keep(renew: (millisecondsLeft: number) => Promise<boolean>): Promise<void> {
    const { renewal } = this.#times;
    while (!this.#lost.signal.aborted && !this.#stopped.signal.aborted) {
      const left = this.#millisecondsLeft();
      if (left <= 0) {
        this.#lost.abort(new Error("The lock could not be renewed in time."));
        return;
      }
      await this.#sleep(Math.min(renewal, left));
      if (this.#stopped.signal.aborted) return;
      const askedAt = { monotonic: this.#clock.monotonic(), now: this.#clock.now() };
      try {
        if (await renew(Math.max(0, this.#millisecondsLeft()))) this.#granted = askedAt;
        else this.#lost.abort(new Error("Another program has taken the lock."));
      } catch {
        // Redis does not answer: until the time is over it may come back.
        await this.#sleep(renewal / 10);
      }
    }
  }

  /** The work is done: nothing aborts any more. */
  stop(): void {
    this.#stopped.abort();
  }

  #millisecondsLeft(): number {
    const { lease, margin } = this.#times;
    const passed = Math.max(
      this.#clock.monotonic() - this.#granted.monotonic,
      this.#clock.now() - this.#granted.now,
    );
    return lease - margin - passed;
  }

  async #sleep(milliseconds: number): Promise<void> {
    await this.#clock
      .sleep(milliseconds, { signal: this.#stopped.signal, unref: true })
      .catch(() => undefined);
  }
}
