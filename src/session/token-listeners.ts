// Whoever wants to be told of each new token of a credential.

import { OidcError } from "../core/errors.ts";
import type { AccessToken, TokenListener } from "../core/types.ts";

/** The listeners of one credential, and the token that they know. */
export class TokenListeners {
  // Objects, so that one function can be subscribed twice and each subscription stopped alone.
  readonly #subscriptions = new Set<{ readonly listener: TokenListener }>();
  #known: string | undefined;

  /** Whether anybody is told. */
  get isEmpty(): boolean {
    return this.#subscriptions.size === 0;
  }

  /**
   * Gives the way to stop.
   * @throws {OidcError} `invalid_option` for what is not a function.
   */
  add(listener: TokenListener): () => void {
    if (typeof listener !== "function") {
      throw new OidcError("invalid_option", "`subscribe` takes a function.");
    }
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  /** Tells of a token, unless it is the one that they know. What a listener throws, now or later, harms nobody. */
  tell(token: AccessToken): void {
    if (token.token === this.#known) return;
    this.#known = token.token;
    for (const { listener } of this.#subscriptions) {
      try {
        // One that is asynchronous fails later, and would end the process as an unhandled rejection.
        Promise.resolve(listener(token) as unknown).catch(() => undefined);
      } catch {
        // The embedding program's listener failed; the others and the call go on.
      }
    }
  }

  /** The token that they know no longer counts. */
  forget(): void {
    this.#known = undefined;
  }

  /** Tells nobody any more. */
  clear(): void {
    this.#known = undefined;
    this.#subscriptions.clear();
  }
}
