// The entry point `latchkey/connect`: a credential's token on each call of a client of `@connectrpc/connect`.

import type { Credential } from "../core/types.ts";
import { AuthorizedExchanges, type Exchange } from "../fetch/authorized-exchange.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What of a call the interceptor looks at. */
export interface ConnectRequest {
  readonly stream: boolean;
  readonly url: string;
  readonly header: Headers;
  readonly signal: AbortSignal;
}

/** What of an answer it looks at. */
export interface ConnectResponse {
  readonly stream: boolean;
  readonly message: unknown;
}

/** As `Interceptor` of `@connectrpc/connect`. */
export type ConnectInterceptor = <Request extends ConnectRequest, Response extends ConnectResponse>(
  next: (request: Request) => Promise<Response>,
) => (request: Request) => Promise<Response>;

/** The codes of a refusal, with the statuses that stand for them (Connect protocol, "Error Codes"). */
const statusOfCode: ReadonlyMap<unknown, number> = new Map([
  [16, 401],
  [7, 403],
]);

/** The header to call with once more; undefined where the error is the caller's. */
async function mended(exchange: Exchange, error: unknown): Promise<string | undefined> {
  const { code, metadata } = (error ?? {}) as {
    readonly code?: unknown;
    readonly metadata?: unknown;
  };
  const status = statusOfCode.get(code);
  if (status === undefined) return undefined;
  const challenge = metadata instanceof Headers ? metadata.get("www-authenticate") : null;
  return exchange.after(status, challenge ?? undefined);
}

/** Hands the messages on, and takes note of a refusal that comes in their place. */
async function* watched(messages: AsyncIterable<unknown>, exchange: Exchange) {
  try {
    yield* messages;
  } catch (error) {
    await mended(exchange, error);
    throw error;
  }
}

function isStream(message: unknown): message is AsyncIterable<unknown> {
  return typeof message === "object" && message !== null && Symbol.asyncIterator in message;
}

/**
 * `createConnectTransport({ interceptors: [authorize(credential)], … })`: every call has a token that is valid now; a
 * refusal is mended as `credential.fetch` does, and a unary call sent again. A call with a stream is sent once: where its
 * token is refused, the next call has another. The token goes to one origin alone: that of the credential's `server`,
 * else that of the first call. A call that has an `Authorization` of its own is left alone.
 * @throws {OidcError} from the calls, as `cause` of the client's error: `insecure_url`, and the codes of
 * {@link Credential.getToken}.
 */
export function authorize(credential: Pick<Credential, "getToken">): ConnectInterceptor {
  const exchanges = new AuthorizedExchanges(credential);
  return (next) => async (request) => {
    const { stream, header, signal } = request;
    const url = URL.parse(request.url);
    if (url === null || header.has("authorization")) return next(request);
    const exchange = exchanges.begin({ url, canRepeat: !stream, signal });
    let authorization = await exchange?.authorization();
    if (exchange === undefined || authorization === undefined) return next(request);
    for (;;) {
      header.set("authorization", authorization);
      try {
        const response = await next(request);
        const { message } = response;
        if (!response.stream || !isStream(message)) return response;
        return { ...response, message: watched(message, exchange) };
      } catch (error) {
        authorization = await mended(exchange, error);
        if (authorization === undefined) throw error;
      }
    }
  };
}
