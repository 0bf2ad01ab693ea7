// Where a provider has what a resource server needs of it: its keys, and the endpoints that answer for tokens.

import type { Clock } from "../core/clock.ts";
import type { Reason } from "../core/errors.ts";
import { maxKeyRequestSeconds } from "../core/limits.ts";
import type { HttpClient } from "../http/exchange.ts";
import { discover, type DiscoveredDocument } from "./discovery.ts";
import { endpointError, endpointProblem } from "./endpoint.ts";

/**
 * The document of an issuer; nothing in it but the issuer is validated yet.
 * @throws {OidcError} `discovery_failed`, `issuer_mismatch`, and what the transport throws.
 */
export function discoverIssuer(
  http: HttpClient,
  clock: Clock,
  issuer: string,
): Promise<DiscoveredDocument> {
  return discover({ http, clock }, { issuer, httpTimeoutSeconds: maxKeyRequestSeconds });
}

/**
 * An endpoint that the document of an issuer names.
 * @throws {OidcError} `endpoint_invalid` for one that is missing, or to which no token may go.
 */
export function endpointIn(
  { document }: Pick<DiscoveredDocument, "document">,
  issuer: string,
  field: Reason<"endpoint_invalid">,
): string {
  const value = document[field];
  const problem = endpointProblem(value, issuer, false);
  if (problem !== undefined) throw endpointError(issuer, field, problem, value);
  return String(value);
}

/**
 * How clients prove themselves at the introspection endpoint; undefined where the document does not say.
 * @see RFC 8414 section 2
 */
export function introspectionMethodsIn({
  document,
}: Pick<DiscoveredDocument, "document">): readonly string[] | undefined {
  const own = document["introspection_endpoint_auth_methods_supported"];
  const listed = own ?? document["token_endpoint_auth_methods_supported"];
  if (!Array.isArray(listed)) return undefined;
  return listed.filter((method): method is string => typeof method === "string");
}
