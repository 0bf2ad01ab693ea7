// The tokens of the last moment. Changes when they count for another time, or are forgotten for another reason.

import type { Clock } from "../core/clock.ts";
import type { AccessToken } from "../core/types.ts";
import type { SessionRecord, TokenTarget } from "../record/format.ts";
import { isFresh } from "../record/fresh.ts";
import { accessTokenOf } from "./access-token.ts";
import { variantNameOf } from "./token-variant.ts";

// One look at the cache file a second: more often costs 18 times a memo (measured), more rarely misses a logout.
const memoMilliseconds = 1000;
const maxMemos = 20;

/** One token. The times are of the wall clock: one look at it is all that a call costs. */
export interface TokenMemo {
  readonly record: SessionRecord;
  readonly token: AccessToken;
  /** What a call gets, made once for all of them. */
  readonly given: Promise<AccessToken>;
  readonly until: number;
  /** The newest time that was seen: a clock that was set back is noticed. */
  seenAt: number;
}

/** The tokens that one session has handed out of late. */
export class TokenMemos {
  readonly #clock: Clock;
  /** The configuration's own token. */
  #own: TokenMemo | undefined;
  /** Other tokens, by the name of their target. */
  readonly #others = new Map<string, TokenMemo>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The memo of a target, where it still counts; one that was made or seen later than now does not. */
  of(target?: TokenTarget): TokenMemo | undefined {
    const memo = this.last(target);
    if (memo === undefined) return undefined;
    const now = this.#clock.now();
    if (now < memo.seenAt || now >= memo.until) return undefined;
    memo.seenAt = now;
    return memo;
  }

  /** The last token of a target, however long ago it was handed out: for as long as the store cannot be asked. */
  last(target?: TokenTarget): TokenMemo | undefined {
    return target === undefined ? this.#own : this.#others.get(variantNameOf({ target }));
  }

  /** The configuration's own token, while it is valid: however long ago it was looked at. */
  latest(): TokenMemo | undefined {
    const memo = this.#own;
    if (memo === undefined || memo.record.accessToken === null) return undefined;
    // A clock that was set back gives no ended token its validity back.
    memo.seenAt = Math.max(memo.seenAt, this.#clock.now());
    return isFresh(memo.record.accessToken, 0, memo.seenAt / 1000) ? memo : undefined;
  }

  /** `given`: the token as it was handed out, where that was from the cache. */
  remember(
    record: SessionRecord,
    target: TokenTarget | undefined,
    given: AccessToken | undefined,
  ): void {
    const token = given ?? accessTokenOf(record, "access_token", "cache", target);
    const now = this.#clock.now();
    const until = now + memoMilliseconds;
    const memo = { record, token, given: Promise.resolve(token), until, seenAt: now };
    if (target === undefined) {
      this.#own = memo;
      return;
    }
    if (this.#others.size >= maxMemos) this.#others.clear();
    this.#others.set(variantNameOf({ target }), memo);
  }

  /** A server has refused it. */
  forgetToken(token: string): void {
    if (this.#own?.token.token === token) this.#own = undefined;
  }

  forget(): void {
    this.#own = undefined;
    this.#others.clear();
  }
}
