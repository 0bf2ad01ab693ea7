// Which flow a sign-in takes. Changes when a flow is added.

import { OidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";

/** What discovery offered, in words for a person. */
function offered(metadata: ProviderMetadata): string {
  const endpoints = [
    metadata.authorizationEndpoint && "an authorization endpoint",
    metadata.deviceAuthorizationEndpoint && "a device authorization endpoint",
    metadata.tokenEndpoint && "a token endpoint",
  ].filter(Boolean);
  return endpoints.length === 0 ? "none of the endpoints of a sign-in" : endpoints.join(" and ");
}

/**
 * Decides, or says why no sign-in is possible.
 *
 * | `flow` | authorization endpoint known | else |
 * |---|---|---|
 * | `auto`, `auth_code` | authorization code flow | `no_interactive_flow` |
 *
 * @throws {OidcError} `no_interactive_flow`.
 */
export function chooseFlow(
  options: Pick<ResolvedOptions, "flow" | "issuer">,
  metadata: ProviderMetadata,
): "auth_code" {
  const provider = hostOf(metadata.issuer);
  if (options.flow === "device") {
    throw new OidcError(
      "no_interactive_flow",
      'This version signs in with the authorization code flow only. Set `flow` to "auto" or "auth_code".',
      { reason: "device_flow_missing" },
    );
  }
  if (metadata.authorizationEndpoint !== undefined && metadata.tokenEndpoint !== undefined) {
    return "auth_code";
  }
  throw new OidcError(
    "no_interactive_flow",
    `${provider} offers ${offered(metadata)}, which is not enough for the authorization code flow. ` +
      "Is `issuer` right? Where the provider has the endpoints without naming them, set `authorizationEndpoint` and `tokenEndpoint`.",
  );
}
