// The entry point `latchkey/axios`: a credential's token on each request of an axios instance.

import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import type { Credential } from "../core/types.ts";
import { AuthorizedExchanges, type Exchange } from "../fetch/authorized-exchange.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** Whether what the request sends can be sent again. */
function canRepeat({ data, headers }: InternalAxiosRequestConfig): boolean {
  if (typeof data !== "object" || data === null || ArrayBuffer.isView(data)) return true;
  if (String(headers.getContentType() ?? "").startsWith("multipart/")) return false;
  const isPlain = [Object.prototype, Array.prototype, null].includes(
    Object.getPrototypeOf(data) as object | null,
  );
  return isPlain || data instanceof URLSearchParams || data instanceof ArrayBuffer;
}

function challengeOf({ headers }: AxiosResponse): string | undefined {
  const value: unknown = headers["www-authenticate"];
  return typeof value === "string" ? value : undefined;
}

/** Lets go of an answer that nobody reads. */
function discard({ data }: AxiosResponse<unknown>): void {
  const { destroy } = (data ?? {}) as { readonly destroy?: unknown };
  if (typeof destroy === "function") (data as { destroy(): void }).destroy();
}

/** The answer of a failure, where it is one by its status. */
function answerOf(error: unknown): AxiosResponse<unknown> | undefined {
  return (error as { readonly response?: AxiosResponse<unknown> }).response;
}

/**
 * Has every request of an instance sent with a token that is valid now; a refusal is mended as `credential.fetch` does,
 * and the request sent once more where its body allows that. The token goes to one origin alone: that of the
 * credential's `server`, else that of the first request. A request that has an `Authorization` of its own is left
 * alone. Gives the way to stop.
 * @throws {OidcError} from the requests: `insecure_url`, and the codes of {@link Credential.getToken}.
 */
export function authorize(
  instance: AxiosInstance,
  credential: Pick<Credential, "getToken">,
): () => void {
  const exchanges = new AuthorizedExchanges(credential);
  const running = new WeakMap<InternalAxiosRequestConfig, Exchange>();

  /** The answer, or the one to the request as it was sent again: until it is content, or has nothing better. */
  const settle = async (first: AxiosResponse<unknown>): Promise<AxiosResponse<unknown>> => {
    const exchange = running.get(first.config);
    let answer = first;
    for (;;) {
      const authorization = await exchange?.after(answer.status, challengeOf(answer));
      if (authorization === undefined) return answer;
      discard(answer);
      const headers = answer.config.headers.concat({ authorization });
      try {
        return await instance.request({ ...answer.config, headers });
      } catch (error) {
        const next = answerOf(error);
        if (next === undefined) throw error;
        answer = next;
      }
    }
  };

  const request = instance.interceptors.request.use(async (config) => {
    const url = URL.parse(instance.getUri(config));
    if (url === null || config.headers.has("authorization")) return config;
    const signal = config.signal instanceof AbortSignal ? config.signal : undefined;
    const exchange = exchanges.begin({ url, canRepeat: canRepeat(config), signal });
    const authorization = await exchange?.authorization();
    if (exchange !== undefined && authorization !== undefined) {
      running.set(config, exchange);
      config.headers.set("authorization", authorization);
    }
    return config;
  });
  const response = instance.interceptors.response.use(settle, async (error: unknown) => {
    const answer = answerOf(error);
    if (answer === undefined) throw error;
    const settled = await settle(answer);
    if (settled === answer) throw error;
    const { validateStatus } = settled.config;
    if (validateStatus?.(settled.status) === false) {
      throw Object.assign(error as Error, { response: settled, status: settled.status });
    }
    return settled;
  });
  return () => {
    instance.interceptors.request.eject(request);
    instance.interceptors.response.eject(response);
  };
}
