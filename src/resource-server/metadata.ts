// What a server tells its clients: the document of RFC 9728, and where it stands.

import type { ResourceServerRules } from "./options.ts";
import type { ResourceMetadata } from "./resource-server-types.ts";

/** Where the document of a resource stands: the well-known part comes before the path. @see RFC 9728 section 3.1 */
export function metadataPlace(
  resource: string | undefined,
): { readonly url: string; readonly path: string } | undefined {
  if (resource === undefined) return undefined;
  const { origin, pathname } = new URL(resource);
  const path = `/.well-known/oauth-protected-resource${pathname === "/" ? "" : pathname}`;
  return { url: `${origin}${path}`, path };
}

/** The document, from options alone: no header of a request has a part in it (K22). @see RFC 9728 section 2 */
export function metadataOf(rules: ResourceServerRules): ResourceMetadata | undefined {
  const { resource, clientId, scopes, issuers } = rules;
  if (resource === undefined) return undefined;
  const [audience] = issuers[0]?.audiences ?? [];
  return Object.freeze({
    resource,
    authorization_servers: issuers.map(({ issuer }) => issuer),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ["header"] as const,
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(audience === undefined ? {} : { audience }),
  });
}
