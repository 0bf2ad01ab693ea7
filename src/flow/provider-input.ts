// What requests to a provider need of a sign-in's configuration. Changes when they need something else of it.

import type { ClientIdentity } from "../provider/client-authentication.ts";
import type { ProviderOptions } from "../provider/metadata.ts";
import type { TokenTarget } from "../record/format.ts";
import type { Settings, SignInConfig, SignInContext } from "./sign-in-config.ts";

/** Who the client is, and how the provider took its secret before. */
export function clientIdentity(
  { clientId, credential }: SignInConfig,
  { knownMethod }: Pick<SignInContext, "knownMethod"> = {},
): ClientIdentity {
  if (credential.kind === "none") return { clientId, clientSecret: undefined, knownMethod };
  const { secret, method = knownMethod } = credential;
  return { clientId, clientSecret: secret, knownMethod: method };
}

/**
 * What the access token of a sign-in is for. A grant may cover more; the token that comes with it does not, so that a
 * token for one server is never sent to another (D10).
 */
export function tokenTarget({ audience, resources, furtherResources }: SignInConfig): {
  audience: string | undefined;
  resources: readonly string[] | undefined;
  tokenResources: readonly string[] | undefined;
} {
  if (furtherResources === undefined) return { audience, resources, tokenResources: undefined };
  const own = resources ?? [];
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
  { audience, resources }: SignInConfig,
  target: TokenTarget | undefined,
): { audience: string | undefined; resources: readonly string[] | undefined } {
  const named = target?.resources ?? undefined;
  return named === undefined ? { audience, resources } : { audience: undefined, resources: named };
}

/** Where the provider is, and what is known of it. */
export function providerOptions(
  { issuer, clientId, endpoints, namedByResource }: SignInConfig,
  { allowInsecureHttp, httpTimeoutSeconds }: Settings,
  flow: ProviderOptions["flow"],
): ProviderOptions {
  const known = { issuer, clientId, ...endpoints, namedByResource };
  return { ...known, allowInsecureHttp, httpTimeoutSeconds, flow };
}
