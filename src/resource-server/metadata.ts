// What a server tells its clients: the document of RFC 9728, and where it stands.

import type { ResourceServerRules } from "./options.ts";
import type { Advertisement, ResourceMetadata } from "./resource-server-types.ts";

/** Where the document of a resource stands: the well-known part comes before the path. @see RFC 9728 section 3.1 */
export function metadataPlace(
  resource: string | undefined,
): { readonly url: string; readonly path: string } | undefined {
  if (resource === undefined) return undefined;
  const { origin, pathname } = new URL(resource);
  const path = `/.well-known/oauth-protected-resource${pathname === "/" ? "" : pathname}`;
  return { url: `${origin}${path}`, path };
}

/** What clients are told, from options alone: no header of a request has a part in it (K22). */
export function advertisementOf(rules: ResourceServerRules): Advertisement {
  const { clientId, scopes, issuers } = rules;
  const [first] = issuers;
  return Object.freeze({
    issuer: first?.issuer ?? "",
    clientId,
    audience: first?.audiences[0],
    scopes,
  });
}

/** The document that says so. @see RFC 9728 section 2 */
export function metadataOf(rules: ResourceServerRules): ResourceMetadata | undefined {
  const { resource, issuers } = rules;
  if (resource === undefined) return undefined;
  const { clientId, scopes, audience } = advertisementOf(rules);
  return Object.freeze({
    resource,
    authorization_servers: issuers.map(({ issuer }) => issuer),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ["header"] as const,
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(audience === undefined ? {} : { audience }),
  });
}
