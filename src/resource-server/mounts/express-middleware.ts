// Mounts a resource server as a middleware of Express, Connect, or of a plain HTTP server of Node.

import type { Identity, ResourceServer, RequestDemands } from "../resource-server-types.ts";
import { isRefusal, metadataAnswer, refusalAnswer, type PlainAnswer } from "./answers.ts";

/** What of a request is read, and what is added to it. */
export interface MiddlewareRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The address before a router took its part of it. */
  readonly originalUrl?: string | undefined;
  readonly rawHeaders: readonly string[];
  /** Whom the accepted token speaks for. */
  identity?: Identity;
}

/** What of an answer is used. */
export interface MiddlewareResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

function send(response: MiddlewareResponse, { status, headers, body }: PlainAnswer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

/** Every value of the header: Node itself drops all but the first. */
function authorizationOf({ rawHeaders }: MiddlewareRequest): readonly string[] {
  return rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "authorization",
  );
}

/**
 * A middleware that lets requests with an accepted token through, with `request.identity`, and answers all others. What
 * is not a refusal goes to `next` as an error.
 * @param options what every request demands in addition to the options of the server.
 */
export function expressMiddleware(
  server: ResourceServer,
  options?: RequestDemands,
): (
  request: MiddlewareRequest,
  response: MiddlewareResponse,
  next: (error?: unknown) => void,
) => void {
  const handle = async (
    request: MiddlewareRequest,
    response: MiddlewareResponse,
    next: (error?: unknown) => void,
  ): Promise<void> => {
    const url = request.originalUrl ?? request.url ?? "/";
    const metadata = metadataAnswer(server, request.method ?? "GET", url);
    if (metadata !== undefined) {
      send(response, metadata);
      return;
    }
    const authorization = authorizationOf(request);
    try {
      request.identity = await server.verifyRequest({ authorization, url }, options);
    } catch (error) {
      if (isRefusal(error)) send(response, refusalAnswer(error));
      else next(error);
      return;
    }
    next();
  };
  return (request, response, next) => void handle(request, response, next);
}
