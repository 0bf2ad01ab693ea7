// The answers that every mount gives: the document for clients, and refusals.

import { isOidcError } from "../../core/errors.ts";
import type { Refusal } from "../refusal.ts";
import type { ResourceServer } from "../resource-server-types.ts";

/** An answer, whatever sends it. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The document, where a request asks for it; undefined for any other request. */
export function metadataAnswer(
  server: ResourceServer,
  method: string,
  url: string,
): PlainAnswer | undefined {
  const { metadata, metadataPath: path } = server;
  if (metadata === undefined || path === undefined) return undefined;
  if ((method !== "GET" && method !== "HEAD") || !url.startsWith(path)) return undefined;
  // The path alone decides, never the query (K21).
  if (url.length > path.length && !"?#".includes(url.charAt(path.length))) return undefined;
  return {
    status: 200,
    headers: {
      "content-type": "application/json",
      "cache-control": "public, max-age=3600",
      // Clients that run in a browser read it, too; it holds nothing that is secret.
      "access-control-allow-origin": "*",
    },
    body: method === "HEAD" ? "" : JSON.stringify(metadata),
  };
}

/** True for what a request is refused with; anything else that is thrown is a fault of the program. */
export function isRefusal(error: unknown): error is Refusal {
  return isOidcError(error) && "status" in error && typeof error.status === "number";
}

/** The answer to a refused request: status, challenge and the word of RFC 6750, and nothing else. */
export function refusalAnswer({
  code,
  status,
  challenge,
  dpopNonce,
  retryAfterSeconds,
}: Refusal): PlainAnswer {
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(challenge === undefined ? {} : { "www-authenticate": challenge }),
      ...(dpopNonce === undefined ? {} : { "dpop-nonce": dpopNonce }),
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ error: code }),
  };
}
