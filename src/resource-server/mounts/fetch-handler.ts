// Mounts a resource server where requests and answers are those of the Fetch API: Hono, Bun, Deno, Next and others.

import type { Identity, RequestDemands, ResourceServer } from "../resource-server-types.ts";
import { judgeRequest } from "./judge-request.ts";

/** Several headers of one name come joined by commas, which no token and no proof has in it. */
function valuesOf(request: Request, header: string): readonly string[] {
  return request.headers.get(header)?.split(", ") ?? [];
}

/**
 * A handler that calls `handle` for requests with an accepted token alone, and answers all others. What `handle` throws
 * is thrown on.
 * @param demands what every request demands in addition to the options of the server.
 */
export function fetchHandler(
  server: ResourceServer,
  handle: (request: Request, identity: Identity) => Response | Promise<Response>,
  demands?: RequestDemands,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const judgement = await judgeRequest(
      server,
      request,
      {
        authorization: valuesOf(request, "authorization"),
        method: request.method,
        url: `${pathname}${search}`,
        dpop: valuesOf(request, "dpop"),
      },
      demands,
    );
    if ("answer" in judgement) {
      const { status, headers, body } = judgement.answer;
      return new Response(body, { status, headers: { ...headers } });
    }
    const response = await handle(request, judgement.identity);
    const added = Object.entries(judgement.headers);
    if (added.length === 0) return response;
    // The headers of an answer that came from a fetch cannot be changed.
    const { status, statusText } = response;
    const headers = new Headers(response.headers);
    for (const [name, value] of added) headers.set(name, value);
    return new Response(response.body, { status, statusText, headers });
  };
}
