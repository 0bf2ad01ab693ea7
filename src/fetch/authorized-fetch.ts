// A `fetch` that sends a credential's token, to one origin alone, and mends what the token lacks.
//
// | answer to our token | then |
// |---|---|
// | 401 | the token is renewed, once |
// | 401 `insufficient_user_authentication` | the person signs in as the server wants, once (RFC 9470) |
// | 403 `insufficient_scope` | a token for what it was for and what the server wants, once |
// | a redirect within the origin | followed, with the token |
// | a redirect to another origin | followed, without it |
// | anything else, or the same again | the caller's |

import { isErrorOf, OidcError } from "../core/errors.ts";
import { hostOf, isLoopbackHost, isLocalhostName } from "../core/hosts.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import { tokenChallenge, wordsOf } from "./challenges.ts";
import {
  partsOf,
  redirectedParts,
  sendParts,
  type Fetch,
  type RequestParts,
} from "./request-parts.ts";

/** What such a `fetch` is made from. */
export interface AuthorizedFetchParts {
  readonly credential: { getToken(options?: GetTokenOptions): Promise<AccessToken> };
  /** The embedding program's own `fetch`. */
  readonly transport: Fetch;
  /** The origin that the token is for. Undefined: that of the first request. */
  readonly origin?: string | undefined;
}

// As browsers have it.
const maxRedirects = 20;

/** What was tried for one request. Each is tried once: a server that is never content ends it (D21). */
interface Tried {
  renewal: boolean;
  stepUp: boolean;
  scopes: boolean;
}

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

async function discard(response: Response): Promise<void> {
  // Unread, it would hold its connection.
  await response.body?.cancel().catch(() => undefined);
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])];
}

/** Sends the token of one credential to one origin. */
export class AuthorizedFetch {
  readonly #credential: AuthorizedFetchParts["credential"];
  readonly #transport: Fetch;
  #origin: string | undefined;
  /** What the server has asked for beyond the credential's own. */
  #scopes: readonly string[] | undefined;
  /** Refused where the request could not be sent again: the next one needs another. */
  #refused: string | undefined;

  constructor({ credential, transport, origin }: AuthorizedFetchParts) {
    this.#credential = credential;
    this.#transport = transport;
    this.#origin = origin;
  }

  /**
   * As the standard `fetch`, with the token in `Authorization`. A request to another origin, and one that has an
   * `Authorization` of its own, is the embedding program's alone.
   * @throws {OidcError} `insecure_url`, and the codes of `getToken`; whatever the embedding program's `fetch` throws;
   * the signal's reason.
   */
  async fetch(...[input, init]: Parameters<Fetch>): Promise<Response> {
    const parts = partsOf(input, init);
    parts.signal?.throwIfAborted();
    if (parts.headers.has("authorization") || !this.#isFor(parts.url)) {
      return this.#transport(input, init);
    }
    return this.#send(parts);
  }

  #isFor(url: URL): boolean {
    if (this.#origin === undefined) {
      if (!maySend(url)) throw insecure(url);
      this.#origin = url.origin;
    }
    return url.origin === this.#origin;
  }

  async #send(first: RequestParts): Promise<Response> {
    const tried: Tried = { renewal: false, stepUp: false, scopes: false };
    let parts = first;
    let redirects = 0;
    let token = await this.#token(parts, { rejectedToken: this.#refused });
    this.#refused = undefined;
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
      const better = await this.#mend(response, parts, token, tried);
      if (better === undefined) return redirects === 0 ? response : asRedirected(response);
      await discard(response);
      token = better;
    }
  }

  #sendOnce(parts: RequestParts, { tokenType, token }: AccessToken): Promise<Response> {
    const headers = new Headers(parts.headers);
    headers.set("authorization", `${tokenType} ${token}`);
    const redirect = parts.redirect === "follow" ? "manual" : parts.redirect;
    return sendParts(this.#transport, parts, headers, redirect);
  }

  /** Another token with which the request may fare better; undefined where the answer is the caller's. */
  async #mend(
    response: Response,
    parts: RequestParts,
    token: AccessToken,
    tried: Tried,
  ): Promise<AccessToken | undefined> {
    const wish = this.#wishOf(response, token, tried);
    if (wish === undefined) return undefined;
    if (wish.scopes !== undefined) this.#scopes = wish.scopes;
    if (!parts.canRepeat) {
      if (token.source !== "static") this.#refused = wish.rejectedToken;
      return undefined;
    }
    try {
      const better = await this.#token(parts, wish);
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
  #wishOf(response: Response, token: AccessToken, tried: Tried): GetTokenOptions | undefined {
    if (response.status !== 401 && response.status !== 403) return undefined;
    const challenge = tokenChallenge(response.headers.get("www-authenticate"));
    const error = challenge.get("error");
    if (response.status === 403) {
      const wanted = wordsOf(challenge.get("scope"));
      if (tried.scopes || error !== "insufficient_scope" || wanted === undefined) return undefined;
      tried.scopes = true;
      const scopes = union(union(this.#scopes ?? [], token.scopes), wanted);
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

  async #token({ signal }: RequestParts, wish: GetTokenOptions): Promise<AccessToken> {
    try {
      return await this.#credential.getToken({ scopes: this.#scopes, ...wish, signal });
    } catch (error) {
      // As every `fetch`.
      signal?.throwIfAborted();
      throw error;
    }
  }
}

/** What a challenge of RFC 9470 section 3 asks for; undefined where it asks for nothing that can be asked for. */
function stepUpOf(challenge: ReadonlyMap<string, string>): GetTokenOptions | undefined {
  const acrValues = wordsOf(challenge.get("acr_values"));
  const age = /^\d{1,9}$/.exec(challenge.get("max_age") ?? "")?.[0];
  if (acrValues === undefined && age === undefined) return undefined;
  return {
    ...(acrValues === undefined ? {} : { acrValues }),
    ...(age === undefined ? {} : { maxAgeSeconds: Number(age) }),
  };
}

function asRedirected(response: Response): Response {
  return Object.defineProperty(response, "redirected", { value: true });
}
