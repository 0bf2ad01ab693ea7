// The entry point `latchkey/undici`: a credential's token on each request of a dispatcher.

import type { Dispatcher } from "undici";
import type { Credential } from "../core/types.ts";
import { AuthorizedExchanges, isRepeatable, type Exchange } from "../fetch/authorized-exchange.ts";

export type { AccessToken, Credential } from "../core/types.ts";

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Handler["onResponseStart"]>>[2];
type Dispatch = Dispatcher["dispatch"];
type HeaderValue = string | string[] | undefined;

/** The headers as names and values, in whichever form the caller has them. */
function headersOf({ headers }: Options): [string, HeaderValue][] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers)) {
    const pairs: [string, HeaderValue][] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      pairs.push([String(headers[at]), headers[at + 1]]);
    }
    return pairs;
  }
  if (Symbol.iterator in headers) return [...(headers as Iterable<[string, HeaderValue]>)];
  return Object.entries(headers);
}

function challengeOf(headers: Headers): string | undefined {
  const value = headers["www-authenticate"];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Hands the answer on, unless a better token is to be had: then it is read to its end, and the request sent again. */
class AuthorizedHandler implements Handler {
  readonly #handler: Handler;
  readonly #exchange: Exchange;
  readonly #send: (authorization: string, handler: Handler) => void;
  #authorization: string | undefined;

  constructor(
    handler: Handler,
    exchange: Exchange,
    send: (authorization: string, handler: Handler) => void,
  ) {
    this.#handler = handler;
    this.#exchange = exchange;
    this.#send = send;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...upgrade: Parameters<NonNullable<Handler["onRequestUpgrade"]>>): void {
    this.#handler.onRequestUpgrade?.(...upgrade);
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, text?: string): void {
    const handOn = (): void => this.#handler.onResponseStart?.(controller, status, headers, text);
    if (status !== 401 && status !== 403) return handOn();
    controller.pause();
    void this.#exchange.after(status, challengeOf(headers)).then(
      (authorization) => {
        this.#authorization = authorization;
        if (authorization === undefined) handOn();
        controller.resume();
      },
      (error: unknown) => controller.abort(error as Error),
    );
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#authorization === undefined) this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    const authorization = this.#authorization;
    if (authorization === undefined) this.#handler.onResponseEnd?.(controller, trailers);
    else this.#send(authorization, this.#handler);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#handler.onResponseError?.(controller, error);
  }
}

/**
 * `new Agent().compose(authorize(credential))`: every request of that dispatcher is sent with a token that is valid now;
 * a refusal is mended as `credential.fetch` does, and the request sent again where its body allows that. The token goes
 * to one origin alone: that of the credential's `server`, else that of the first request. A request that has an
 * `Authorization` of its own is left alone.
 * @throws {OidcError} from the requests: `insecure_url`, and the codes of {@link Credential.getToken}.
 */
export function authorize(
  credential: Pick<Credential, "getToken">,
): Dispatcher.DispatcherComposeInterceptor {
  const exchanges = new AuthorizedExchanges(credential);
  return (dispatch: Dispatch): Dispatch =>
    (options, handler) => {
      const headers = headersOf(options);
      const url = URL.parse(options.path, String(options.origin));
      if (url === null || headers.some(([name]) => name.toLowerCase() === "authorization")) {
        return dispatch(options, handler);
      }
      const exchange = exchanges.begin({ url, canRepeat: isRepeatable(options.body) });
      if (exchange === undefined) return dispatch(options, handler);
      const send = (authorization: string, to: Handler): void => {
        const all = Object.fromEntries([...headers, ["authorization", authorization]]);
        dispatch({ ...options, headers: all }, new AuthorizedHandler(to, exchange, send));
      };
      exchange.authorization().then(
        (authorization) => {
          if (authorization === undefined) dispatch(options, handler);
          else send(authorization, handler);
        },
        // There is no connection yet, and so nothing to control.
        (error: unknown) => handler.onResponseError?.(null as never, error as Error),
      );
      return true;
    };
}
