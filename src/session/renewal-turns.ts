// How many renewals one process has under way with one provider. Whoever takes the lock of a sign-in has some seconds: ten
// thousand that took theirs at the same moment would all be late.

import { maxRenewalsAtOnce } from "../core/limits.ts";
import { type Release, Turns } from "../core/turns.ts";

/** A turn at renewing, which is held before the lock is taken, and not while another's work or a person is waited for. */
export interface RenewalTurn {
  /**
   * Waits for the turn, unless it is held.
   * @throws the signal's reason when it aborts before.
   */
  hold(signal: AbortSignal): Promise<void>;
  /** Lets another one begin. */
  release(): void;
}

/** The turns at the renewals of each provider. */
export class RenewalTurns {
  readonly #atOnce: number;
  readonly #turns = new Map<string, Turns>();

  constructor(atOnce: number = maxRenewalsAtOnce) {
    this.#atOnce = atOnce;
  }

  /** A turn that is not held yet. One provider that does not answer keeps nobody from another. */
  of(provider: string): RenewalTurn {
    let release: Release | undefined;
    return {
      hold: async (signal) => {
        if (release !== undefined) return;
        const turns = this.#turns.get(provider) ?? new Turns(this.#atOnce);
        this.#turns.set(provider, turns);
        release = await turns.take(signal);
      },
      release: () => {
        release?.();
        release = undefined;
        if (this.#turns.get(provider)?.isIdle === true) this.#turns.delete(provider);
      },
    };
  }
}

/** The turns of this process. */
export const renewalsOfThisProcess: RenewalTurns = new RenewalTurns();
