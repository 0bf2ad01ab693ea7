// A `fetch` that sends tokens to one origin alone, and sends a request again where a better token may mend a refusal.
//
// | answer to a redirect or our token | then |
// |---|---|
// | a redirect within the origin | followed, with the token |
// | a redirect to another origin | followed, without it |
// | 401, 403 | sent again with another token, where the source of tokens has one for it |
// | anything else | the caller's |

import type { AccessToken } from "../core/types.ts";
import { TokenOrigin } from "./token-origin.ts";
import {
  partsOf,
  redirectedParts,
  sendParts,
  type Fetch,
  type RequestParts,
} from "./request-parts.ts";

/** The tokens of one request, of which each reason for another one counts once: a server that is never content ends it (D21). */
export interface RequestTokens {
  /** The token to begin with; undefined: the request is sent without one. */
  first(parts: RequestParts): Promise<AccessToken | undefined>;
  /** Another token with which the request may fare better; undefined where the answer is the caller's. */
  mend(response: Response, parts: RequestParts): Promise<AccessToken | undefined>;
}

/** What such a `fetch` is made from. */
export interface AuthorizedFetchParts {
  readonly tokens: { forRequest(): RequestTokens };
  /** The embedding program's own `fetch`. */
  readonly transport: Fetch;
  /**
   * What the tokens are of: a credential, or its options. Where it has a server, they are for that one's origin; else,
   * and without it, for that of the first request.
   */
  readonly boundTo?: object;
}

// As browsers have it.
const maxRedirects = 20;

/** Gives up an answer that nobody reads: it would hold its connection. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** Sends tokens to one origin. */
export class AuthorizedFetch {
  readonly #tokens: AuthorizedFetchParts["tokens"];
  readonly #transport: Fetch;
  readonly #origin: TokenOrigin;

  constructor({ tokens, transport, boundTo }: AuthorizedFetchParts) {
    this.#tokens = tokens;
    this.#transport = transport;
    this.#origin = new TokenOrigin(boundTo);
  }

  /**
   * As the standard `fetch`, with the token in `Authorization`. A request to another origin, and one that has an
   * `Authorization` of its own, is the embedding program's alone.
   * @throws {OidcError} `insecure_url`, and what the source of tokens throws; whatever the embedding program's `fetch`
   * throws; the signal's reason.
   */
  async fetch(...[input, init]: Parameters<Fetch>): Promise<Response> {
    const parts = partsOf(input, init);
    parts.signal?.throwIfAborted();
    if (parts.headers.has("authorization") || !this.#origin.isFor(parts.url)) {
      return this.#transport(input, init);
    }
    try {
      return await this.#send(parts);
    } catch (error) {
      // As every `fetch`.
      parts.signal?.throwIfAborted();
      throw error;
    }
  }

  async #send(first: RequestParts): Promise<Response> {
    const tokens = this.#tokens.forRequest();
    let parts = first;
    let redirects = 0;
    let token = await tokens.first(parts);
    for (;;) {
      const response = await this.#sendOnce(parts, token);
      const next = redirectedParts(parts, response);
      if (next !== undefined) {
        await discard(response);
        redirects += 1;
        if (redirects > maxRedirects) throw new TypeError("fetch failed: too many redirects");
        // From there on nothing of the token's is left, wherever it leads.
        if (!this.#origin.isFor(next.url)) {
          return sendParts(this.#transport, next, next.headers, "follow");
        }
        parts = next;
        continue;
      }
      const isRefusal = response.status === 401 || response.status === 403;
      const better = isRefusal ? await tokens.mend(response, parts) : undefined;
      if (better === undefined) return redirects === 0 ? response : asRedirected(response);
      await discard(response);
      token = better;
    }
  }

  #sendOnce(parts: RequestParts, token: AccessToken | undefined): Promise<Response> {
    const headers = new Headers(parts.headers);
    if (token !== undefined) headers.set("authorization", `${token.tokenType} ${token.token}`);
    const redirect = parts.redirect === "follow" ? "manual" : parts.redirect;
    return sendParts(this.#transport, parts, headers, redirect);
  }
}

function asRedirected(response: Response): Response {
  return Object.defineProperty(response, "redirected", { value: true });
}
