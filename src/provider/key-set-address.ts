// Where a provider publishes its keys, for whoever needs nothing else of it.

import type { Clock } from "../core/clock.ts";
import { longestKeyRequestSeconds } from "../core/limits.ts";
import type { HttpClient } from "../http/exchange.ts";
import { discover } from "./discovery.ts";
import { endpointError, endpointProblem } from "./endpoint.ts";

/**
 * The `jwks_uri` of an issuer's discovery document, and until when it counts, in seconds since the epoch.
 * @throws {OidcError} `discovery_failed`, `issuer_mismatch`, `endpoint_invalid`, and what the transport throws.
 */
export async function discoverKeySet(
  http: HttpClient,
  clock: Clock,
  issuer: string,
): Promise<{ readonly jwksUri: string; readonly expiresAt: number }> {
  const { document, expiresAt } = await discover(
    { http, clock },
    {
      issuer,
      httpTimeoutSeconds: longestKeyRequestSeconds,
    },
  );
  const { jwks_uri: jwksUri } = document;
  const problem = endpointProblem(jwksUri, issuer, false);
  if (problem !== undefined) throw endpointError(issuer, "jwks_uri", problem, jwksUri);
  return { jwksUri: String(jwksUri), expiresAt };
}
