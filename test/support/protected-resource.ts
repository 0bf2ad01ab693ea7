// A server that says which provider to use, by protected resource metadata (RFC 9728). Changes when tests need more of it.

import type { TlsOptions } from "node:tls";
import { onTestFinished } from "vitest";
import { reply, startHostileServer, type Behaviour, type HostileServer } from "./hostile-server.ts";
import type { IdentityProvider } from "./identity-provider.ts";

const root = "/.well-known/oauth-protected-resource";

/** A server of a test. */
export interface ProtectedResource {
  readonly server: HostileServer;
  /** Replaces members of what it says. */
  say(members: Readonly<Record<string, unknown>>): void;
  /** How many requests have come. */
  asked(): number;
}

/** A server that names a provider and its public client, and ends with the test; `members` replace what it says. */
export async function startProtectedResource(
  identityProvider: IdentityProvider,
  members: Readonly<Record<string, unknown>> = {},
  tls?: TlsOptions,
): Promise<ProtectedResource> {
  let said = members;
  const behave: Behaviour = (socket, request, index) => {
    const document = {
      resource: server.origin,
      authorization_servers: [identityProvider.issuer],
      client_id: identityProvider.clients.public.clientId,
      scopes: ["openid", "profile"],
      ...said,
    };
    const headers = { "content-type": "application/json" };
    const isAsked = request.target === root;
    const answer = isAsked ? reply(200, headers, JSON.stringify(document)) : reply(404);
    answer(socket, request, index);
  };
  const server = await startHostileServer(behave, tls === undefined ? {} : { tls });
  onTestFinished(() => server.close());
  return { server, say: (next) => (said = next), asked: () => server.requests.length };
}
