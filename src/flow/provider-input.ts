// The part of a credential's options that requests to a provider need. Changes when they need another option.

import { Secret } from "../core/secret.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ProviderOptions } from "../provider/metadata.ts";

/** Who the client is, its secret wrapped. */
export function clientIdentity(options: ResolvedOptions): {
  clientId: string;
  clientSecret: Secret | undefined;
} {
  const { clientId, clientSecret } = options;
  return {
    clientId,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
  };
}

/** What the access token is for. */
export function tokenTarget(options: ResolvedOptions): {
  audience: string | undefined;
  resources: readonly string[] | undefined;
} {
  const { audience, resource } = options;
  return { audience, resources: typeof resource === "string" ? [resource] : resource };
}

/** Where the provider is, and what is known of it. */
export function providerOptions(
  options: ResolvedOptions,
  flow: ProviderOptions["flow"],
): ProviderOptions {
  return {
    issuer: options.issuer,
    clientId: options.clientId,
    authorizationEndpoint: options.authorizationEndpoint,
    tokenEndpoint: options.tokenEndpoint,
    deviceAuthorizationEndpoint: options.deviceAuthorizationEndpoint,
    jwksUri: options.jwksUri,
    allowInsecureHttp: options.allowInsecureHttp,
    caCertPath: options.caCertPath,
    httpTimeoutSeconds: options.httpTimeoutSeconds,
    flow,
  };
}
