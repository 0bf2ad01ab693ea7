// What becomes of a request to a mount: an answer of the resource server, or the identity with which it goes on.

import type {
  Identity,
  RequestDemands,
  ResourceServer,
  TokenRequest,
} from "../resource-server-types.ts";
import { isRefusal, metadataAnswer, refusalAnswer, type PlainAnswer } from "./answers.ts";
import { tokenRequestOf, type NodeRequest } from "./node-request.ts";

/** Exactly one of the two is there. `headers` go with the answer of whoever handles the request. */
export type Judgement =
  | { readonly answer: PlainAnswer }
  | { readonly identity: Identity; readonly headers: Readonly<Record<string, string>> };

/** Whom a request was accepted for, by which server: a second mount on its way verifies nothing twice. */
const accepted = new WeakMap<object, { readonly server: ResourceServer; readonly to: Identity }>();

/**
 * Judges a request. What is not a refusal is thrown on, so that nothing goes on by a fault (K21).
 * @param request the object that stands for it, the same one for every mount that it comes to.
 */
export async function judgeRequest(
  server: ResourceServer,
  request: object,
  parts: TokenRequest & { readonly method: string },
  demands: RequestDemands | undefined,
): Promise<Judgement> {
  const metadata = metadataAnswer(server, parts.method, parts.url);
  if (metadata !== undefined) return { answer: metadata };
  const nonce = server.dpopNonce;
  const headers: Record<string, string> = nonce === undefined ? {} : { "dpop-nonce": nonce };
  try {
    const before = accepted.get(request);
    if (before?.server === server) {
      server.assertDemands(before.to, demands ?? {});
      return { identity: before.to, headers };
    }
    const identity = await server.verifyRequest(parts, demands);
    accepted.set(request, { server, to: identity });
    return { identity, headers };
  } catch (error) {
    if (isRefusal(error)) return { answer: refusalAnswer(error) };
    throw error;
  }
}

/** The same for a request of Node. @param target its address before a router took its part of it. */
export function judgeNodeRequest(
  server: ResourceServer,
  request: NodeRequest,
  target: string,
  demands: RequestDemands | undefined,
): Promise<Judgement> {
  const method = request.method ?? "GET";
  return judgeRequest(server, request, { ...tokenRequestOf(request, target), method }, demands);
}
