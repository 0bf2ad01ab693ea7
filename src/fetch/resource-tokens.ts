// Tokens for a resource that says itself which provider issues them: asked without a token first, as MCP has it.
//
// | answer | then |
// |---|---|
// | 401 to a request without a token | the resource's metadata, a sign-in at the provider that they name |
// | 401 to our token | the token is renewed, once; refused again: as if there had been none, the metadata read anew |
// | 401 `insufficient_user_authentication` | a sign-in as the server wants (RFC 9470) |
// | 403 `insufficient_scope` | a sign-in for what was asked for before and what the server wants |
// | 401 `use_dpop_nonce`, any other 403, or the same once more | the caller's |

import type { AccessToken } from "../core/types.ts";
import { discard, type RequestTokens } from "./authorized-fetch.ts";
import { metadataAddressIn, tokenChallenge, wordsOf } from "./challenges.ts";
import type { RequestParts } from "./request-parts.ts";
import type { ResourceRefusal, ResourceSignIn } from "./resource-sign-in.ts";
import { stepUpOf } from "./step-up.ts";

/** The tokens for one resource. */
export class ResourceTokens {
  readonly signIns: ResourceSignIn;
  /** What was said to a request that could not be sent again: the next one begins with it. */
  unanswered: ResourceRefusal | undefined;

  constructor(signIns: ResourceSignIn) {
    this.signIns = signIns;
  }

  forRequest(): RequestTokens {
    return new OneRequest(this);
  }
}

class OneRequest implements RequestTokens {
  readonly #shared: ResourceTokens;
  readonly #tried = { renewal: false, signIn: false, stepUp: false, scopes: false };
  #token: AccessToken | undefined;

  constructor(shared: ResourceTokens) {
    this.#shared = shared;
  }

  async first({ url, signal }: RequestParts): Promise<AccessToken | undefined> {
    const { signIns, unanswered } = this.#shared;
    this.#shared.unanswered = undefined;
    const better = unanswered && (await this.#better(unanswered, signal));
    return better ?? (this.#token = await signIns.cached(url, undefined, signal));
  }

  async mend(response: Response, parts: RequestParts): Promise<AccessToken | undefined> {
    const refusal = this.#refusalIn(response, parts.url);
    if (refusal === undefined) return undefined;
    if (!parts.canRepeat) {
      this.#shared.unanswered = refusal;
      return undefined;
    }
    try {
      return await this.#better(refusal, parts.signal);
    } catch (error) {
      await discard(response);
      throw error;
    }
  }

  /** A token that answers the refusal; undefined where it has been tried already, or where there is none. */
  async #better(
    refusal: ResourceRefusal,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | undefined> {
    const { signIns } = this.#shared;
    const { refused, stepUp, isTooNarrow, url } = refusal;
    const tried = this.#tried;
    const isRefusedWhole = stepUp === undefined && !isTooNarrow;
    if (isRefusedWhole && refused !== undefined && !tried.renewal) {
      tried.renewal = true;
      const renewed = await signIns.cached(url, refused.token, signal);
      if (renewed !== undefined && renewed.token !== refused.token) return (this.#token = renewed);
    }
    const reason = stepUp !== undefined ? "stepUp" : isTooNarrow ? "scopes" : "signIn";
    if (tried[reason]) return undefined;
    tried[reason] = true;
    const token = await signIns.signIn(refusal, signal);
    if (token === undefined || token.token === refused?.token) return undefined;
    return (this.#token = token);
  }

  #refusalIn(response: Response, url: URL): ResourceRefusal | undefined {
    const header = response.headers.get("www-authenticate");
    const challenge = tokenChallenge(header);
    const error = challenge.get("error");
    const refused = this.#token;
    const scopes = wordsOf(challenge.get("scope"));
    const metadataAddress = metadataAddressIn(header);
    const refusal = { url, metadataAddress, scopes, refused, stepUp: undefined };
    if (response.status === 403) {
      const isTooNarrow = error === "insufficient_scope" && scopes !== undefined;
      return isTooNarrow && refused !== undefined ? { ...refusal, isTooNarrow } : undefined;
    }
    // RFC 9449 section 9: the token is not at fault, and no other one would mend it.
    if (error === "use_dpop_nonce") return undefined;
    if (error !== "insufficient_user_authentication" || refused === undefined) {
      return { ...refusal, isTooNarrow: false };
    }
    const stepUp = stepUpOf(challenge);
    return stepUp && { ...refusal, stepUp, isTooNarrow: false };
  }
}
