// The tokens of one credential, for requests: renewed, and mended by what a refusal says is missing.
//
// | answer to our token | then |
// |---|---|
// | 401 | the token is renewed, once |
// | 401 `insufficient_user_authentication` | the person signs in as the server wants, once (RFC 9470) |
// | 403 `insufficient_scope` | a token for what it was for and what the server wants, once |
// | anything else, or the same again | the caller's |

import { isErrorOf } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import { discard, type RequestTokens } from "./authorized-fetch.ts";
import { tokenChallenge, wordsOf } from "./challenges.ts";
import type { RequestParts } from "./request-parts.ts";
import { stepUpOf } from "./step-up.ts";

/** What of a credential is needed. */
export interface TokenGiver {
  getToken(options?: GetTokenOptions): Promise<AccessToken>;
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])];
}

/** The tokens of a credential. */
export class CredentialTokens {
  readonly credential: TokenGiver;
  /** What the server has asked for beyond the credential's own. */
  scopes: readonly string[] | undefined;
  /** Refused where the request could not be sent again: the next one needs another. */
  refused: string | undefined;

  constructor(credential: TokenGiver) {
    this.credential = credential;
  }

  forRequest(): RequestTokens {
    return new OneRequest(this);
  }
}

class OneRequest implements RequestTokens {
  readonly #shared: CredentialTokens;
  readonly #tried = { renewal: false, stepUp: false, scopes: false };
  #token: AccessToken | undefined;

  constructor(shared: CredentialTokens) {
    this.#shared = shared;
  }

  async first(parts: RequestParts): Promise<AccessToken> {
    const token = await this.#get(parts, { rejectedToken: this.#shared.refused });
    this.#shared.refused = undefined;
    return token;
  }

  async mend(response: Response, parts: RequestParts): Promise<AccessToken | undefined> {
    const token = this.#token;
    const wish = token && this.#wishOf(response, token);
    if (token === undefined || wish === undefined) return undefined;
    if (wish.scopes !== undefined) this.#shared.scopes = wish.scopes;
    if (!parts.canRepeat) {
      if (token.source !== "static") this.#shared.refused = wish.rejectedToken;
      return undefined;
    }
    try {
      const better = await this.#get(parts, wish);
      // The credential has nothing else: a further request would be answered as this one was.
      return better.token === token.token ? undefined : better;
    } catch (error) {
      // The caller's own token, and no other: what the server says of it is more than we know.
      if (token.source === "static" && isErrorOf(error, "login_required")) return undefined;
      await discard(response);
      throw error;
    }
  }

  /** What a token must be that answers the refusal, where one has not been tried yet. */
  #wishOf(response: Response, token: AccessToken): GetTokenOptions | undefined {
    const tried = this.#tried;
    const challenge = tokenChallenge(response.headers.get("www-authenticate"));
    const error = challenge.get("error");
    if (response.status === 403) {
      const wanted = wordsOf(challenge.get("scope"));
      if (tried.scopes || error !== "insufficient_scope" || wanted === undefined) return undefined;
      tried.scopes = true;
      const scopes = union(union(this.#shared.scopes ?? [], token.scopes), wanted);
      return scopes.length === token.scopes.length ? undefined : { scopes };
    }
    if (error === "insufficient_user_authentication") {
      if (tried.stepUp) return undefined;
      tried.stepUp = true;
      return stepUpOf(challenge);
    }
    // RFC 9449 section 9: the token is not at fault, and no renewal would mend it.
    if (tried.renewal || error === "use_dpop_nonce") return undefined;
    tried.renewal = true;
    return { rejectedToken: token.token };
  }

  async #get({ signal }: RequestParts, wish: GetTokenOptions): Promise<AccessToken> {
    const { credential, scopes } = this.#shared;
    return (this.#token = await credential.getToken({ scopes, ...wish, signal }));
  }
}
