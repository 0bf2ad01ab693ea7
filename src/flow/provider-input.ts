// The part of a credential's options that requests to a provider need. Changes when they need another option.

import { Secret } from "../core/secret.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ClientIdentity } from "../provider/client-authentication.ts";
import type { ProviderOptions } from "../provider/metadata.ts";

/** What another access token than the configuration's is for. Null: as the configuration has it. */
export interface AccessTokenTarget {
  readonly scopes: readonly string[] | null;
  readonly resources: readonly string[] | null;
}

/** Options of one sign-in. */
export type SignInOptions = ResolvedOptions & {
  /** Resources that the grant is to cover besides the configuration's. */
  readonly furtherResources?: readonly string[];
  /** How the provider took the client's secret before. */
  readonly knownMethod?: ClientIdentity["knownMethod"];
};

/** Who the client is, its secret wrapped. */
export function clientIdentity(options: SignInOptions): ClientIdentity {
  const { clientId, clientSecret, knownMethod } = options;
  return {
    clientId,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
    knownMethod,
  };
}

function resourcesOf({ resource }: ResolvedOptions): readonly string[] | undefined {
  return typeof resource === "string" ? [resource] : resource;
}

/**
 * What the access token of a sign-in is for. A grant may cover more; the token that comes with it does not, so that a
 * token for one server is never sent to another (D10).
 */
export function tokenTarget(options: SignInOptions): {
  audience: string | undefined;
  resources: readonly string[] | undefined;
  tokenResources: readonly string[] | undefined;
} {
  const { audience, furtherResources } = options;
  const configured = resourcesOf(options);
  if (furtherResources === undefined) {
    return { audience, resources: configured, tokenResources: undefined };
  }
  const own = configured ?? [];
  return {
    audience,
    resources: [...new Set([...own, ...furtherResources])],
    tokenResources: own,
  };
}

/**
 * What one access token is for: the call's target, where there is one, before the configuration's. The configuration's
 * audience belongs to its resource.
 */
export function targetOfToken(
  options: ResolvedOptions,
  target: AccessTokenTarget | undefined,
): { audience: string | undefined; resources: readonly string[] | undefined } {
  const named = target?.resources ?? undefined;
  return named === undefined
    ? { audience: options.audience, resources: resourcesOf(options) }
    : { audience: undefined, resources: named };
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
    httpTimeoutSeconds: options.httpTimeoutSeconds,
    flow,
  };
}
