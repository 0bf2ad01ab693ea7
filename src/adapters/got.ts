// The entry point `latchkey/got`: a credential's token on each request of the client `got`.

import type { Credential } from "../core/types.ts";
import { AuthorizedExchanges, isRepeatable, type Exchange } from "../fetch/authorized-exchange.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What of a request the hooks look at. */
export interface GotRequestOptions {
  url?: string | URL | undefined;
  headers: Record<string, string | string[] | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** What of an answer they look at. */
export interface GotAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly request: { readonly options: GotRequestOptions };
}

/** For `got.extend(…)`. */
export interface GotHooks {
  hooks: {
    beforeRequest: ((options: GotRequestOptions) => Promise<void>)[];
    afterResponse: (<Answer extends GotAnswer>(
      answer: Answer,
      retry: (changes: { headers: Record<string, string> }) => never,
    ) => Promise<Answer>)[];
  };
}

/**
 * `got.extend(authorizedHooks(credential))`: every request is sent with a token that is valid now; a refusal is mended as
 * `credential.fetch` does, once, and the request sent again where its body allows that (never with `got.stream`). The
 * token goes to one origin alone: that of the credential's `server`, else that of the first request. A request that has
 * an `Authorization` of its own is left alone.
 * @throws {OidcError} from the requests, as `cause` of the client's error: `insecure_url`, and the codes of
 * {@link Credential.getToken}.
 */
export function authorizedHooks(credential: Pick<Credential, "getToken">): GotHooks {
  const exchanges = new AuthorizedExchanges(credential);
  const running = new WeakMap<GotRequestOptions, { exchange: Exchange; header: string }>();
  return {
    hooks: {
      beforeRequest: [
        async (options) => {
          const ours = running.get(options)?.header;
          const { authorization } = options.headers;
          // After a redirect, or the client's own retry, it may be a request to somebody else.
          if (authorization !== undefined && authorization !== ours) return;
          delete options.headers["authorization"];
          running.delete(options);
          if (options.url === undefined) return;
          const exchange = exchanges.begin({
            url: new URL(options.url),
            canRepeat: isRepeatable(options.body),
            signal: options.signal,
          });
          const header = await exchange?.authorization();
          if (exchange === undefined || header === undefined) return;
          running.set(options, { exchange, header });
          options.headers["authorization"] = header;
        },
      ],
      afterResponse: [
        async (answer, retry) => {
          const challenge = answer.headers["www-authenticate"];
          const authorization = await running
            .get(answer.request.options)
            ?.exchange.after(answer.statusCode, [challenge ?? []].flat().join(", "));
          return authorization === undefined ? answer : retry({ headers: { authorization } });
        },
      ],
    },
  };
}
