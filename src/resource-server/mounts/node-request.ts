// A request of Node's HTTP server, as every mount that gets one reads it.

import type { ClientCertificate, TokenRequest } from "../resource-server-types.ts";

/** What of a request of Node is read. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
  /** Where the connection is TLS and asks for a certificate, its client's is taken from here. */
  readonly socket?: object | null | undefined;
}

/** Every value of a header: Node itself drops all but the first of some, and joins others. */
function valuesOf({ rawHeaders }: NodeRequest, header: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    // Most names have another length, which costs nothing to see.
    if (name.length !== header.length || name.toLowerCase() !== header) continue;
    values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

function certificateOf({ socket }: NodeRequest): ClientCertificate | undefined {
  const { getPeerX509Certificate: find } = (socket ?? {}) as {
    readonly getPeerX509Certificate?: () => ClientCertificate | undefined;
  };
  return typeof find === "function" ? find.call(socket) : undefined;
}

/** The path of a request's target: one that names another host is a path all the same (RFC 9112 section 3.2.2). */
function pathOf(target: string): string {
  return target.startsWith("/") ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
}

/** What is verified of a request. @param target its address before a router took its part of it. */
export function tokenRequestOf(request: NodeRequest, target: string): TokenRequest {
  const path = pathOf(target);
  return {
    authorization: valuesOf(request, "authorization"),
    method: request.method,
    url: path.startsWith("/") ? path : `/${path}`,
    dpop: valuesOf(request, "dpop"),
    clientCertificate: () => certificateOf(request),
  };
}
