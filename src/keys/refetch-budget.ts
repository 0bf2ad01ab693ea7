// How often keys are fetched because of tokens that they do not fit, whoever makes such tokens up.

import type { Clock } from "../core/clock.ts";
import { keySetCoolDownSeconds } from "../core/limits.ts";

/** One fetch at once, and one in reserve. */
const most = 2;
const coolDownMilliseconds = keySetCoolDownSeconds * 1000;
/** Names of keys that are remembered. */
const maxNames = 4096;
/** Names that were asked for and not found, of which a flood may have one or some. */
const maxAskedNames = 16;

/** Adds to a set of bounded size; the oldest goes. */
function addBounded(names: Set<string>, name: string, limit: number): void {
  names.add(name);
  const [oldest] = names;
  if (names.size > limit && oldest !== undefined) names.delete(oldest);
}

/**
 * The first token that does not fit has keys fetched at once; then one fetch in each cool-down is all. Of these one is
 * held in reserve for a `kid` that comes again: a key that is new signs many tokens, and whoever makes names up makes up
 * another one for each. So a new key is taken with its second token in the middle of a flood, and with its first at any
 * other time. Whoever repeats names gets the reserve, and no more than that.
 */
export class RefetchBudget {
  readonly #clock: Clock;
  #left = most;
  #refillAt = Infinity;
  /** Seen once since the last fetch. */
  readonly #seen = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether keys may be fetched for a token with this `kid`; that is one fetch less. */
  allows(keyId: string | undefined): boolean {
    this.#refill();
    const isSecondSight = keyId !== undefined && this.#seen.has(keyId);
    if (this.#left < most && !(isSecondSight && this.#left > 0)) {
      const isNew = keyId !== undefined && !this.#asked.has(keyId);
      if (isNew) addBounded(this.#seen, keyId, maxNames);
      return false;
    }
    if (this.#left === most) this.#refillAt = this.#clock.monotonic() + coolDownMilliseconds;
    this.#left -= 1;
    this.#seen.clear();
    if (keyId !== undefined) addBounded(this.#asked, keyId, maxAskedNames);
    return true;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    if (now < this.#refillAt) return;
    const fetches = 1 + Math.floor((now - this.#refillAt) / coolDownMilliseconds);
    this.#left = Math.min(most, this.#left + fetches);
    this.#refillAt =
      this.#left === most ? Infinity : this.#refillAt + fetches * coolDownMilliseconds;
    if (this.#left === most) this.#asked.clear();
  }
}
