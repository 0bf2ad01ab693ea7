// Mounts a resource server where requests and answers are those of the Fetch API: Hono, Bun, Deno, Next and others.

import type { Identity, ResourceServer, RequestDemands } from "../resource-server-types.ts";
import { isRefusal, metadataAnswer, refusalAnswer, type PlainAnswer } from "./answers.ts";

function responseOf({ status, headers, body }: PlainAnswer): Response {
  return new Response(body, { status, headers: { ...headers } });
}

/**
 * A handler that calls `handle` for requests with an accepted token alone, and answers all others. What `handle` throws
 * is thrown on.
 * @param options what every request demands in addition to the options of the server.
 */
export function fetchHandler(
  server: ResourceServer,
  handle: (request: Request, identity: Identity) => Response | Promise<Response>,
  options?: RequestDemands,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const metadata = metadataAnswer(server, request.method, pathname);
    if (metadata !== undefined) return responseOf(metadata);
    // Several headers of one name come joined by commas, which no token has in it.
    const header = request.headers.get("authorization");
    const authorization = header === null ? [] : header.split(", ");
    let identity: Identity;
    try {
      identity = await server.verifyRequest({ authorization, url: request.url }, options);
    } catch (error) {
      if (isRefusal(error)) return responseOf(refusalAnswer(error));
      throw error;
    }
    return handle(request, identity);
  };
}
