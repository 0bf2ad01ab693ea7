// A resource server that tests put in front of something, and a token that it accepts. Changes when the usual one of them
// does.

import type {
  ResourceServer,
  ResourceServerOptions,
} from "../../src/resource-server/resource-server-types.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import { signedToken, type SigningKey, type TokenIssuer } from "./token-issuer.ts";

/** A server that accepts an issuer's tokens with the scope `read`. */
export function mountedServer(
  issuer: TokenIssuer,
  audience: string,
  options: Partial<ResourceServerOptions> = {},
): ResourceServer {
  return createResourceServer({
    issuer: issuer.issuer,
    audience,
    requiredScopes: ["read"],
    clientId: "cli",
    ...options,
  });
}

/** A token that such a server accepts, for a minute. */
export function acceptedToken(
  key: SigningKey,
  issuer: TokenIssuer,
  audience: string,
  claims: Readonly<Record<string, unknown>> = {},
): string {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return signedToken(
    key,
    { alg: "ES256", kid: "one", typ: "at+jwt" },
    { iss: issuer.issuer, aud: audience, sub: "alice", exp, scope: "read", ...claims },
  );
}
