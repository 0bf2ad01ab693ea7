// Asks a provider for its key set, and keeps it with what else is known of the provider.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { keySetLifetimeSeconds } from "../core/limits.ts";
import { option, say } from "../core/wording.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import { readJsonObject } from "../http/json-body.ts";
import { KeySet, type FetchedKeySet } from "../keys/key-source.ts";
import { parseKeySet } from "../keys/public-key.ts";
import { expiryOf } from "./cache-lifetime.ts";
import type { DiscoveryCache } from "./discovery-cache.ts";
import type { ProviderWorld } from "./provider-types.ts";

/** The request for a key set. */
export function keySetRequest(jwksUri: string, signal: AbortSignal | undefined): HttpRequest {
  return {
    method: "GET",
    url: jwksUri,
    step: "key set",
    accept: "application/jwk-set+json, application/json",
    metadata: true,
    signal,
  };
}

/**
 * The key set in an answer.
 * @throws {OidcError} `discovery_failed` with the reason `jwks_unusable`.
 * @see RFC 7517 section 5
 */
export function readKeySet(
  answer: HttpAnswer,
  jwksUri: string,
  nowMilliseconds: number,
): FetchedKeySet {
  const body = readJsonObject(answer);
  const isKeySet = answer.status === 200 && body.ok && parseKeySet(body.value) !== undefined;
  if (isKeySet) {
    const expiresAt = expiryOf(answer.headers, keySetLifetimeSeconds, nowMilliseconds);
    return { document: body.value, expiresAt };
  }
  const why =
    answer.status !== 200 ? `status ${answer.status}` : body.ok ? "JSON without keys" : body.why;
  throw new OidcError(
    "discovery_failed",
    `${hostAndPort(jwksUri)} gave no key set to verify ID tokens with (key set: ${why}).`,
    {
      reason: "jwks_unusable",
      remedy: say`Try again later; if it stays this way, check ${option("jwksUri")} or ask the provider's administrator.`,
    },
  );
}

/** The keys at one address, kept in the provider's cache. `acceptsOld`: as for a refresh, which is one request. */
export function providerKeys(
  world: ProviderWorld,
  cache: DiscoveryCache,
  jwksUri: string,
  acceptsOld: boolean,
): KeySet {
  return new KeySet({
    clock: world.clock,
    acceptsOld,
    cache: {
      read: () => {
        const { keySet } = cache.read();
        return keySet?.jwksUri === jwksUri ? keySet : undefined;
      },
      write: (fetched) => cache.merge({ keySet: { jwksUri, ...fetched } }),
    },
    fetch: async (signal) => {
      const answer = await world.http.send(keySetRequest(jwksUri, signal));
      return readKeySet(answer, jwksUri, world.clock.now());
    },
  });
}
