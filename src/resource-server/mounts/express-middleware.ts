// Mounts a resource server as a middleware of Express, Connect, or of a plain HTTP server of Node.

import type { Identity, RequestDemands, ResourceServer } from "../resource-server-types.ts";
import { judgeNodeRequest, type Judgement } from "./judge-request.ts";
import type { NodeRequest } from "./node-request.ts";

/** What of a request is read, and what is added to it. */
export interface MiddlewareRequest extends NodeRequest {
  /** The address before a router took its part of it. */
  readonly originalUrl?: string | undefined;
  /** Whom the accepted token speaks for. */
  identity?: Identity;
}

/** What of an answer is used. */
export interface MiddlewareResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

function setHeaders(response: MiddlewareResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/**
 * A middleware that lets requests with an accepted token through, with `request.identity`, and answers all others. What
 * is not a refusal goes to `next` as an error.
 * @param demands what every request demands in addition to the options of the server. Behind another middleware of the
 * same server, they alone are looked at.
 */
export function expressMiddleware(
  server: ResourceServer,
  demands?: RequestDemands,
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
    const target = request.originalUrl ?? request.url ?? "/";
    let judgement: Judgement;
    try {
      judgement = await judgeNodeRequest(server, request, target, demands);
    } catch (error) {
      next(error);
      return;
    }
    if ("answer" in judgement) {
      const { status, headers, body } = judgement.answer;
      response.statusCode = status;
      setHeaders(response, headers);
      response.end(body);
      return;
    }
    setHeaders(response, judgement.headers);
    request.identity = judgement.identity;
    next();
  };
  return (request, response, next) => void handle(request, response, next);
}
