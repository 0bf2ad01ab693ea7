// What one call wants of a sign-in beyond the configuration. Changes when a call can want something else of it.

import { scopesOf } from "../provider/authorization-request.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { TokenTarget } from "../record/format.ts";
import type { SignInConfig, SignInInput } from "./sign-in-config.ts";

/** What a call wants of a sign-in, in addition to what the configuration says. */
export interface SignInVariant {
  readonly target?: TokenTarget | undefined;
  /** Granted at the sign-in before: kept where the configuration leaves the scopes to the provider. */
  readonly grantedScopes?: readonly string[] | undefined;
  readonly acrValues?: readonly string[] | undefined;
  readonly maxAgeSeconds?: number | undefined;
}

function ownScopes(
  { scopes, addsOpenid }: SignInConfig,
  { source }: ProviderMetadata,
): readonly string[] | undefined {
  if (scopes === undefined || !addsOpenid || source !== "openid") return scopes;
  return scopes.includes("openid") ? scopes : ["openid", ...scopes];
}

function scopesWith(
  config: SignInConfig,
  { target, grantedScopes }: SignInVariant,
  metadata: ProviderMetadata,
): readonly string[] | undefined {
  const own = ownScopes(config, metadata);
  const wanted = target?.scopes ?? null;
  if (wanted === null) return own;
  const asked = scopesOf({ scopes: own, offlineAccess: false }, metadata);
  const configured = asked.length === 0 ? (grantedScopes ?? []) : asked;
  return [...new Set([...configured, ...wanted])];
}

/** The sign-in that covers what a call wants, too: the union of scopes and resources, the stricter age. */
export function withVariant(
  { config, settings, context }: SignInInput,
  variant: SignInVariant,
  metadata: ProviderMetadata,
): SignInInput {
  const { target, acrValues = settings.acrValues, maxAgeSeconds } = variant;
  const furtherResources = target?.resources ?? config.furtherResources;
  const maxAge =
    maxAgeSeconds === undefined
      ? settings.maxAge
      : Math.min(maxAgeSeconds, settings.maxAge ?? maxAgeSeconds);
  return {
    config: {
      ...config,
      scopes: scopesWith(config, variant, metadata),
      furtherResources,
    },
    settings: { ...settings, acrValues, maxAge },
    context,
  };
}
