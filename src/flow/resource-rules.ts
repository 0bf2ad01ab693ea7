// What a sign-in has to be where a resource named the provider: the rules of MCP authorization for a client.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { SignInInput } from "./sign-in-config.ts";

/**
 * Nobody who configured this provider can vouch for it, so it has to say that a stolen code is worth nothing there.
 * @throws {OidcError} `authorization_failed`, before any browser opens.
 */
function assertChallenges({ issuer, source, codeChallengeMethods }: ProviderMetadata): void {
  // Whoever names every endpoint knows the provider.
  if (source === "options" || codeChallengeMethods?.includes("S256") === true) return;
  throw new OidcError(
    "authorization_failed",
    `${hostAndPort(issuer)}, which the server names as the provider, does not list PKCE with S256 in its metadata (discovery), so nobody is sent there.`,
    {
      reason: "pkce_unsupported",
      remedy: say`Ask the provider's administrator; or set ${option("issuer")} and ${option("clientId")}, if you know the provider.`,
    },
  );
}

/**
 * The input of a sign-in as those rules have it; any other input as it is. `offline_access` is asked for only where
 * the provider lists it, whoever names it.
 * @throws {OidcError} `authorization_failed`.
 * @see MCP 2026-07-28, authorization, "Authorization Code Protection" and "Scope Selection Strategy"
 */
export function withResourceRules(input: SignInInput, metadata: ProviderMetadata): SignInInput {
  const { config, settings } = input;
  if (!config.namedByResource) return input;
  assertChallenges(metadata);
  const isOffered = metadata.scopesSupported?.includes("offline_access") === true;
  const offlineAccess = settings.offlineAccess && isOffered;
  const scopes = config.scopes?.filter((scope) => scope !== "offline_access" || isOffered);
  return {
    ...input,
    config: { ...config, scopes },
    settings: { ...settings, pkce: true, offlineAccess },
  };
}
