// Tokens for the requests of a client that is no `fetch`: the same origin, renewals and step-ups. Changes when the core
// of `credential.fetch` does.

import type { Credential } from "../core/types.ts";
import type { RequestTokens } from "./authorized-fetch.ts";
import { CredentialTokens } from "./credential-tokens.ts";
import type { RequestParts } from "./request-parts.ts";
import { TokenOrigin } from "./token-origin.ts";

/** A request, as far as its tokens are concerned. */
export interface ExchangeRequest {
  readonly url: URL;
  /** Whether it can be sent again; asked when a refusal has come. */
  readonly canRepeat: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Whether a body is one that can be sent again: none, a text, bytes. */
export function isRepeatable(body: unknown): boolean {
  return (body ?? undefined) === undefined || typeof body === "string" || ArrayBuffer.isView(body);
}

/** The `Authorization` of one request. */
export class Exchange {
  readonly #tokens: RequestTokens;
  readonly #parts: RequestParts;

  constructor(tokens: RequestTokens, request: ExchangeRequest) {
    this.#tokens = tokens;
    this.#parts = {
      url: request.url,
      get canRepeat() {
        return request.canRepeat;
      },
      signal: request.signal,
      method: "GET",
      headers: new Headers(),
      body: undefined,
      original: undefined,
      redirect: "manual",
      others: {},
    };
  }

  /** The header to send it with. */
  async authorization(): Promise<string | undefined> {
    const token = await this.#tokens.first(this.#parts);
    return token && `${token.tokenType} ${token.token}`;
  }

  /** The header to send it with once more; undefined where the answer is the caller's. */
  async after(status: number, challenge: string | undefined): Promise<string | undefined> {
    if (status !== 401 && status !== 403) return undefined;
    const headers = challenge === undefined ? {} : { "www-authenticate": challenge };
    const answer = new Response(null, { status, headers });
    const token = await this.#tokens.mend(answer, this.#parts);
    return token && `${token.tokenType} ${token.token}`;
  }
}

/** The tokens of one credential, for one origin. */
export class AuthorizedExchanges {
  readonly #tokens: CredentialTokens;
  readonly #origin: TokenOrigin;

  constructor(credential: Pick<Credential, "getToken">) {
    this.#tokens = new CredentialTokens(credential);
    this.#origin = new TokenOrigin(credential);
  }

  /**
   * Undefined: the request goes to another origin, and has no token.
   * @throws {OidcError} `insecure_url`.
   */
  begin(request: ExchangeRequest): Exchange | undefined {
    if (!this.#origin.isFor(request.url)) return undefined;
    return new Exchange(this.#tokens.forRequest(), request);
  }
}
