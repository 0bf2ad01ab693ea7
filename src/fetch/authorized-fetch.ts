// A `fetch` that sends tokens to one origin alone, and sends a request again where a better token may mend a refusal.
//
// | answer to a redirect or our token | then |
// |---|---|
// | a redirect within the origin | followed, with the token |
// | a redirect to another origin | followed, without it |
// | 401, 403 | sent again with another token, where the source of tokens has one for it |
// | anything else | the caller's |

import { OidcError } from "../core/errors.ts";
import { hostOf, isLoopbackHost, isLocalhostName } from "../core/hosts.ts";
import type { AccessToken } from "../core/types.ts";
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
  /** The origin that the token is for. Undefined: that of the first request. */
  readonly origin?: string | undefined;
}

// As browsers have it.
const maxRedirects = 20;

/** Only this machine is spoken to without TLS. A name below `localhost` is looked up by the embedding program's `fetch`. */
function maySend({ protocol, hostname }: URL): boolean {
  if (protocol === "https:") return true;
  const isNameBelow = isLocalhostName(hostname) && hostname !== "localhost";
  return protocol === "http:" && isLoopbackHost(hostname) && !isNameBelow;
}

function insecure(url: URL): OidcError {
  return new OidcError(
    "insecure_url",
    `No token is sent to ${hostOf(url)}: its address is not an https: URL (http: only on loopback).`,
    { remedy: "Use its https: address." },
  );
}

/** Gives up an answer that nobody reads: it would hold its connection. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** Sends tokens to one origin. */
export class AuthorizedFetch {
  readonly #tokens: AuthorizedFetchParts["tokens"];
  readonly #transport: Fetch;
  #origin: string | undefined;

  constructor({ tokens, transport, origin }: AuthorizedFetchParts) {
    this.#tokens = tokens;
    this.#transport = transport;
    this.#origin = origin;
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
    if (parts.headers.has("authorization") || !this.#isFor(parts.url)) {
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

  #isFor(url: URL): boolean {
    if (this.#origin === undefined) {
      if (!maySend(url)) throw insecure(url);
      this.#origin = url.origin;
    }
    return url.origin === this.#origin;
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
        if (next.url.origin !== this.#origin) {
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
