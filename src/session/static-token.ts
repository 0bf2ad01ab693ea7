// A token from outside: fixed, in a file, or from a function. Changes when such tokens are looked after in another way.

import { isBearerToken } from "../core/bearer-token.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions, GivenToken } from "../core/types.ts";
import { defaultMinValiditySeconds, maxTokenCharacters } from "../core/limits.ts";
import { isFresh } from "../record/fresh.ts";
import { createAccessToken } from "./access-token.ts";
import { abortedError, raceAbort } from "./in-process-flight.ts";
import type { Lifetime } from "./lifetime.ts";
import type { TokenListeners } from "./token-listeners.ts";

/** Where given tokens come from. */
export interface StaticTokenSource {
  /** What it is called in messages: "`tokenFile`". */
  readonly name: string;
  /** The token now. */
  read(): Promise<GivenToken>;
}

interface Kept {
  readonly given: GivenToken;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

function toSeconds(date: Date | undefined): number | null {
  return date === undefined ? null : date.getTime() / 1000;
}

/** Hands out the tokens of one source. Calls at once share one reading. */
export class StaticTokens {
  readonly #source: StaticTokenSource;
  #kept: Kept | undefined;
  #reading: Promise<Kept> | undefined;
  readonly #lifetime: Lifetime;
  readonly #listeners: TokenListeners;
  /** Handed out last, and refused by nobody since. */
  #last: AccessToken | undefined;

  /** Once the lifetime has ended, whoever waits for a token gets `aborted`, reason `closed`, and so does every later call. */
  constructor(source: StaticTokenSource, lifetime: Lifetime, listeners: TokenListeners) {
    this.#source = source;
    this.#lifetime = lifetime;
    this.#listeners = listeners;
  }

  /** The token that was handed out last, while it is valid. */
  peek(): AccessToken | undefined {
    const end = this.#last?.expiresAt;
    const isOver = this.#lifetime.isOver || (end !== undefined && end.getTime() <= Date.now());
    return isOver ? undefined : this.#last;
  }

  /**
   * @throws {OidcError} `login_required` where the source has no other token than the refused one, or one that has
   * ended; `aborted`; and what the source throws.
   */
  async get(options: GetTokenOptions): Promise<AccessToken> {
    if (options.signal?.aborted) throw abortedError(options.signal);
    this.#lifetime.assertOpen();
    if (options.tokenKind === "id_token") {
      throw this.#noToken("gives access tokens; no ID token is known");
    }
    if (this.#last !== undefined && options.rejectedToken === this.#last.token) {
      this.#last = undefined;
    }
    const minValiditySeconds = options.minValiditySeconds ?? defaultMinValiditySeconds;
    const usable = (kept: Kept): boolean =>
      kept.given.token !== options.rejectedToken &&
      isFresh(
        { issuedAt: kept.issuedAt, expiresAt: toSeconds(kept.given.expiresAt) },
        minValiditySeconds,
        Date.now() / 1000,
      );
    const last = this.#kept;
    const again = options.forceRefresh === true || (last !== undefined && !usable(last));
    // A token whose end is known is kept until then; any other source is asked each time, and may be asked cheaply.
    if (!again && last?.given.expiresAt !== undefined) return this.#handOut(last.given);
    const running = this.#reading;
    let kept = await this.#wait(options.signal);
    // A reading that began before this call may have brought what this call was made to replace.
    if (running !== undefined && !usable(kept)) {
      kept = await this.#wait(options.signal);
    }
    if (!usable(kept)) {
      throw this.#noToken(
        kept.given.token === options.rejectedToken
          ? "has no other token than the one that was refused"
          : "gave a token that ends too soon",
      );
    }
    return this.#handOut(kept.given);
  }

  #handOut(given: GivenToken): AccessToken {
    const { token, expiresAt } = given;
    this.#last = createAccessToken({
      token,
      tokenType: "Bearer",
      expiresAt: toSeconds(expiresAt),
      scopes: [],
      source: "static",
    });
    this.#listeners.tell(this.#last);
    return this.#last;
  }

  #wait(signal: AbortSignal | undefined): Promise<Kept> {
    return this.#lifetime.race(raceAbort(this.#read(), signal));
  }

  async #read(): Promise<Kept> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<Kept> {
    const given = await this.#ask();
    if (!isBearerToken(given.token)) {
      throw new OidcError(
        "token_response_invalid",
        `${this.#source.name} gave no bearer token: visible ASCII characters without space, comma and quote, at most ${maxTokenCharacters} of them. Nothing was sent.`,
        { reason: "access_token" },
      );
    }
    const same = this.#kept?.given.token === given.token ? this.#kept : undefined;
    this.#kept = { given, issuedAt: same?.issuedAt ?? Date.now() / 1000 };
    return this.#kept;
  }

  async #ask(): Promise<GivenToken> {
    try {
      return await this.#source.read();
    } catch (error) {
      if (isOidcError(error)) throw error;
      throw new OidcError(
        "token_request_failed",
        `${this.#source.name} failed, so there is no token.`,
        {
          reason: "token_function_failed",
          remedy: "Its own error is the cause of this one.",
          cause: error,
        },
      );
    }
  }

  #noToken(why: string): OidcError {
    return new OidcError("login_required", `${this.#source.name} ${why}.`, {
      reason: "no_token",
      remedy: "Only its giver can help: put a new token there.",
    });
  }
}
