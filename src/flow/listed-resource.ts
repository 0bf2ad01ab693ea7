// Whether the provider knows the server that named it. Changes when a provider says so in another way.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { shownServer } from "../core/server-words.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { SignInConfig } from "./sign-in-config.ts";

/**
 * A provider that lists its resources, and not this one, has not been asked by whoever runs it: a counterfeit of a server
 * may name a genuine provider (D14).
 * @throws {OidcError} `resource_mismatch`, before any browser opens.
 * @see RFC 9728 section 4
 */
export function assertListedResource(
  { server }: Pick<SignInConfig, "server">,
  { issuer, protectedResources }: Pick<ProviderMetadata, "issuer" | "protectedResources">,
): void {
  const resource = server?.resource;
  if (resource === undefined || protectedResources === undefined) return;
  if (protectedResources.includes(resource)) return;
  throw new OidcError(
    "resource_mismatch",
    `${shownServer(resource)} names the provider ${hostAndPort(issuer)}, which does not list it among the resources that it issues tokens for (discovery).`,
    { remedy: "Ask whoever runs the server; it may not be the one that it seems to be." },
  );
}
