// What one call wants of a sign-in beyond the configuration. Changes when a call can want something else of it.

import { ownProperties } from "../core/own-properties.ts";
import type { ResolvedOptions } from "../options/types.ts";
import { scopesOf } from "../provider/authorization-request.ts";
import type { ClientIdentity } from "../provider/client-authentication.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { AccessTokenTarget, SignInOptions } from "./provider-input.ts";

/** What a call wants of a sign-in, besides what the configuration says. */
export interface SignInWishes {
  readonly target?: AccessTokenTarget | undefined;
  /** Granted at the sign-in before: kept where the configuration leaves the scopes to the provider. */
  readonly grantedScopes?: readonly string[] | undefined;
  readonly acrValues?: readonly string[] | undefined;
  readonly maxAgeSeconds?: number | undefined;
  /** How the provider took the client's secret at the sign-in before. */
  readonly knownMethod?: ClientIdentity["knownMethod"];
}

/** The options of a sign-in with a call's wishes in them: the union of scopes and resources, the stricter age. */
export function withWishes(
  options: ResolvedOptions,
  wishes: SignInWishes,
  metadata: ProviderMetadata,
): SignInOptions {
  const { target, acrValues, maxAgeSeconds, knownMethod } = wishes;
  const { scopes, resources } = target ?? { scopes: null, resources: null };
  const asked = scopesOf({ scopes: options.scopes, offlineAccess: false }, metadata);
  const configured = asked.length === 0 ? (wishes.grantedScopes ?? []) : asked;
  const changes = {
    ...(scopes === null ? {} : { scopes: [...new Set([...configured, ...scopes])] }),
    ...(resources === null ? {} : { furtherResources: resources }),
    ...(acrValues === undefined ? {} : { acrValues }),
    ...(knownMethod === undefined ? {} : { knownMethod }),
    ...(maxAgeSeconds === undefined
      ? {}
      : { maxAge: Math.min(maxAgeSeconds, options.maxAge ?? maxAgeSeconds) }),
  };
  // By descriptors: a spread would lose the secrets, which are not enumerable.
  const descriptors = Object.getOwnPropertyDescriptors(options);
  return Object.freeze(
    Object.defineProperties(ownProperties({}), {
      ...descriptors,
      ...Object.getOwnPropertyDescriptors(changes),
    }),
  ) as SignInOptions;
}
