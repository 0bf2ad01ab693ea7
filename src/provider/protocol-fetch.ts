// Lets oauth4webapi make a request while our own HTTP sends it. Changes when either side's idea of a request does.

import * as oauth from "oauth4webapi";
import type { HttpAnswer, HttpClient } from "../http/exchange.ts";

/** What our HTTP wants to know about a request besides the request itself. */
export interface ProtocolStep {
  readonly step: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The options of oauth4webapi that hand its request to us. */
export interface ProtocolRequestOptions {
  [oauth.customFetch]: (
    url: string,
    request: oauth.CustomFetchOptions<string, unknown>,
  ) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
}

/**
 * Sends the request that `make` builds and gives back the whole answer, read and bounded. What may be asked at all
 * (https, redirects, retries, time) is our HTTP's decision, hence `allowInsecureRequests`: ours refuses by itself.
 * @throws {OidcError} what the transport throws.
 */
export async function sendRequest(
  http: HttpClient,
  how: ProtocolStep,
  make: (options: ProtocolRequestOptions) => Promise<Response>,
): Promise<HttpAnswer> {
  let answer: HttpAnswer | undefined;
  await make({
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async (url, { method, headers, body }) => {
      // Of oauth4webapi's headers only the one that matters: content type, language and agent are our HTTP's.
      const authorization = new Headers(headers).get("authorization");
      answer = await http.send({
        method: method === "GET" ? "GET" : "POST",
        url,
        step: how.step,
        ...(authorization === null ? {} : { headers: { authorization } }),
        ...(body instanceof URLSearchParams ? { form: body } : {}),
        accept: how.accept ?? "application/json",
        signal: how.signal,
      });
      // The body stays with us; oauth4webapi is asked only about what we have looked at.
      return new Response(null, { status: 200 });
    },
  });
  if (answer === undefined) throw new TypeError("the request was not sent through our HTTP");
  return answer;
}
