// The tokens that a proxy sends: of a person who is asked when it starts, and never for a request.

import type { Clock } from "../core/clock.ts";
import { isOidcError, type OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import type { TokenGiver } from "../fetch/credential-tokens.ts";

/** How long a failure is repeated to whoever asks for the same. After a sign-in elsewhere it is soon over. */
const failureMilliseconds = 3000;
/** How long nothing is renewed after a renewed token was refused, too. */
const hopelessMilliseconds = 60_000;

/** Gives them, and remembers for a while what came to nothing: programs ask again and again. */
export class ProxyTokens implements TokenGiver {
  readonly #giver: TokenGiver;
  readonly #clock: Clock;
  #failure:
    | { readonly wish: string; readonly error: OidcError; readonly until: number }
    | undefined;
  #hopelessUntil = 0;

  constructor(giver: TokenGiver, clock: Clock) {
    this.#giver = giver;
    this.#clock = clock;
  }

  /** As the credential does. Rejects with `login_required` where a person would have to be asked. */
  async getToken(options: GetTokenOptions = {}): Promise<AccessToken> {
    const { signal: _signal, ...rest } = options;
    const wish = JSON.stringify(rest);
    const last = this.#failure;
    if (last?.wish === wish && this.#clock.monotonic() < last.until) throw last.error;
    try {
      return await this.#giver.getToken({ ...options, interactive: false });
    } catch (error) {
      if (isOidcError(error) && error.code !== "aborted") {
        const until = this.#clock.monotonic() + failureMilliseconds;
        this.#failure = { wish, error, until };
      }
      throw error;
    }
  }

  /** Whether another token may be asked for because the server refused one. */
  get mayRenew(): boolean {
    return this.#clock.monotonic() >= this.#hopelessUntil;
  }

  /** The server refused a renewed one: what it dislikes is not the token's age. */
  noteRefusedAgain(): void {
    this.#hopelessUntil = this.#clock.monotonic() + hopelessMilliseconds;
  }
}
