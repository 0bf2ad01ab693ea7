// Mounts a resource server as a plugin of Fastify, without its package: what of it is used stands here.

import type { Identity, RequestDemands, ResourceServer } from "../resource-server-types.ts";
import { judgeNodeRequest } from "./judge-request.ts";
import type { NodeRequest } from "./node-request.ts";

/** What of a request is read, and what is added to it. */
export interface FastifyRequestLike {
  readonly raw: NodeRequest;
  readonly originalUrl: string;
}

/** What of an answer is used. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/** What of an instance of Fastify is used. */
export interface FastifyLike {
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: null): unknown;
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>,
  ): unknown;
}

/**
 * A plugin after which every request of the instance that registers it needs an accepted token; `request.identity` says
 * whose it is. All others are answered; what is not a refusal is an error of the request.
 * @param demands what every request demands in addition to the options of the server. Behind another such plugin of the
 * same server, they alone are looked at.
 */
export function fastifyPlugin(
  server: ResourceServer,
  demands?: RequestDemands,
): (instance: FastifyLike, options: object, done: () => void) => void {
  const plugin = (instance: FastifyLike, _options: object, done: () => void): void => {
    if (!instance.hasRequestDecorator("identity")) instance.decorateRequest("identity", null);
    instance.addHook("onRequest", async (request, reply) => {
      const judgement = await judgeNodeRequest(server, request.raw, request.originalUrl, demands);
      const { headers } = "answer" in judgement ? judgement.answer : judgement;
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      if ("answer" in judgement) {
        reply.code(judgement.answer.status);
        // A hook that answers has to wait for it, or the handler runs all the same.
        return reply.send(judgement.answer.body);
      }
      (request as { identity?: Identity }).identity = judgement.identity;
      return undefined;
    });
    done();
  };
  // It is for the instance that registers it, and not for one of its own (the convention of `fastify-plugin`).
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "latchkey",
  });
}
