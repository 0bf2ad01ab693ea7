// What providers said of tokens, kept for a bounded time within bounds of count and bytes. No token is in it: each is found
// by its digest.

import { nowSeconds, type Clock } from "../core/clock.ts";
import type { Reason } from "../core/errors.ts";
import { maxAnswerBytes, refusedAnswerLifetimeSeconds } from "../core/limits.ts";
import type { Identity } from "./resource-server-types.ts";

/** What a token came to. */
export type JudgedAnswer =
  | {
      readonly identity: Identity;
      /** Seconds since the epoch; undefined where the provider does not say. */
      readonly expiresAt: number | undefined;
      /** About as much as it takes in memory. */
      readonly bytes: number;
    }
  | { readonly problem: Reason<"invalid_token"> };

interface Kept {
  readonly answer: JudgedAnswer;
  /** On the monotonic clock, in milliseconds. */
  readonly until: number;
  readonly bytes: number;
}

/** Of an entry without an identity. */
const smallBytes = 200;

/** Entries by digest, the oldest first; it never holds more than its bounds. */
class BoundedEntries {
  readonly #most: number;
  readonly #entries = new Map<string, Kept>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  find(digest: string): Kept | undefined {
    return this.#entries.get(digest);
  }

  forget(digest: string): void {
    this.#bytes -= this.#entries.get(digest)?.bytes ?? 0;
    this.#entries.delete(digest);
  }

  add(digest: string, kept: Kept): void {
    if (this.#most === 0 || kept.bytes > maxAnswerBytes) return;
    this.forget(digest);
    this.#entries.set(digest, kept);
    this.#bytes += kept.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most && this.#bytes <= maxAnswerBytes) break;
      this.forget(oldest);
    }
  }
}

/** The memory of one server. Refusals have a place of their own: a flood of made-up tokens drives out no good ones. */
export class RememberedAnswers {
  readonly #clock: Clock;
  readonly #lifetimeSeconds: number;
  readonly #accepted: BoundedEntries;
  readonly #refused: BoundedEntries;

  constructor(clock: Clock, most: number, lifetimeSeconds: number) {
    this.#clock = clock;
    this.#lifetimeSeconds = lifetimeSeconds;
    this.#accepted = new BoundedEntries(most);
    this.#refused = new BoundedEntries(most);
  }

  /** For how long an answer may be used from now on, in seconds. */
  lifetimeOf(answer: JudgedAnswer): number {
    const longest = this.#lifetimeSeconds;
    if ("problem" in answer) return Math.min(longest, refusedAnswerLifetimeSeconds);
    if (answer.expiresAt === undefined) return longest;
    return Math.max(0, Math.min(longest, answer.expiresAt - nowSeconds(this.#clock)));
  }

  find(digest: string): JudgedAnswer | undefined {
    for (const entries of [this.#accepted, this.#refused]) {
      const kept = entries.find(digest);
      if (kept === undefined) continue;
      const { answer, until } = kept;
      const isOver = "identity" in answer && this.lifetimeOf(answer) <= 0;
      if (this.#clock.monotonic() < until && !isOver) return answer;
      entries.forget(digest);
    }
    return undefined;
  }

  /** Keeps an answer for as long as it may be used. @param maxSeconds the rest of the time of one that is older. */
  add(digest: string, answer: JudgedAnswer, maxSeconds: number = Infinity): void {
    const lifetime = Math.min(this.lifetimeOf(answer), maxSeconds);
    if (lifetime <= 0) return;
    const isAccepted = "identity" in answer;
    const entries = isAccepted ? this.#accepted : this.#refused;
    (isAccepted ? this.#refused : this.#accepted).forget(digest);
    entries.add(digest, {
      answer,
      until: this.#clock.monotonic() + lifetime * 1000,
      bytes: isAccepted ? answer.bytes : smallBytes,
    });
  }
}
