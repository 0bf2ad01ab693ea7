// Opens a provider: metadata from options, cache or discovery.

import { decisionsOf, OidcError, isOidcError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { loadPart } from "../core/load.ts";
import { isWithinLifetime } from "../core/lifetime.ts";
import { option, say } from "../core/wording.ts";
import { DiscoveryCache } from "./discovery-cache.ts";
import type { DiscoveredDocument } from "./discovery.ts";
import { noKeys } from "../keys/key-source.ts";
import { providerKeys } from "./key-set.ts";
import { metadataFromOptions, parseMetadata } from "./metadata-document.ts";
import type {
  Provider,
  ProviderMetadata,
  ProviderOptions,
  ProviderWorld,
} from "./provider-types.ts";
import { acceptsDiscoveredIssuer } from "./quirks.ts";

export type {
  Provider,
  ProviderMetadata,
  ProviderOptions,
  ProviderWorld,
} from "./provider-types.ts";

function assertIssuer(options: ProviderOptions): void {
  const { issuer } = options;
  if (issuer === "") {
    throw new OidcError("missing_issuer", "No issuer is set, and no server was asked for one.", {
      remedy: say`Set ${option("issuer")} to the provider's issuer URL.`,
    });
  }
  if (!URL.canParse(issuer)) {
    throw new OidcError("invalid_option", say`${option("issuer")} is not a URL.`, {
      remedy: "Set it to the provider's issuer URL, such as https://id.example.com.",
    });
  }
  const { protocol, hostname } = new URL(issuer);
  if (protocol === "https:") return;
  if (protocol === "http:" && (options.allowInsecureHttp || isLoopbackHost(hostname))) return;
  throw new OidcError(
    "insecure_url",
    say`${option("issuer")} is an http: URL, which is accepted for this machine alone.`,
    { remedy: "Set it to an https: URL." },
  );
}

/** Every endpoint that the chosen flow needs is an option, so the provider is not asked. */
function isCompleteWithoutDiscovery(options: ProviderOptions): boolean {
  const { authorizationEndpoint, deviceAuthorizationEndpoint, tokenEndpoint } = options;
  if (tokenEndpoint === undefined) return false;
  if (options.flow === "client") return true;
  if (options.flow === "device") return deviceAuthorizationEndpoint !== undefined;
  return authorizationEndpoint !== undefined;
}

/** True for a failure after which the provider is to be looked up anew. */
export function speaksAgainstDocument(error: unknown): boolean {
  return decisionsOf(error)?.document === "doubted";
}

function metadataFromDocument(
  found: DiscoveredDocument,
  options: ProviderOptions,
): ProviderMetadata | undefined {
  const named = found.document["issuer"];
  if (typeof named !== "string") return undefined;
  if (named !== options.issuer && !acceptsDiscoveredIssuer(options.issuer, named)) return undefined;
  return parseMetadata(found.document, found.source, options);
}

/** Cached metadata that passes today's checks, whatever its age; undefined where there is none. */
function cachedMetadata(
  found: DiscoveredDocument | undefined,
  options: ProviderOptions,
): ProviderMetadata | undefined {
  if (found === undefined) return undefined;
  try {
    return metadataFromDocument(found, options);
  } catch (error) {
    // What fails validation is not used; the provider is asked, and its answer says what is wrong.
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

function assemble(
  world: ProviderWorld,
  cache: DiscoveryCache,
  options: ProviderOptions,
  metadata: ProviderMetadata,
  acceptsOldKeys = false,
): Provider {
  const { jwksUri } = metadata;
  const keySet =
    jwksUri === undefined ? undefined : providerKeys(world, cache, jwksUri, acceptsOldKeys);
  return {
    metadata,
    options,
    keys: keySet ?? noKeys,
    prefetchKeys: (signal) => keySet?.prefetch(signal),
    forgetCached: () => cache.forget(),
  };
}

/**
 * Opens a provider for a sign-in. Discovery takes place only where the cache has no fresh document, or one is not to be
 * used (`anew`), and the options do not name every endpoint of the chosen flow.
 * @throws {OidcError} `discovery_failed`, `issuer_mismatch`, `endpoint_invalid`, `missing_issuer`, and what the
 * transport throws.
 * @see OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3
 */
export async function openProvider(
  world: ProviderWorld,
  options: ProviderOptions,
  signal?: AbortSignal,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<Provider> {
  assertIssuer(options);
  const cache = await DiscoveryCache.open(world, options.issuer);
  if (isCompleteWithoutDiscovery(options)) {
    return assemble(world, cache, options, metadataFromOptions(options));
  }
  const kept = anew ? undefined : cache.read().metadata;
  if (kept !== undefined && isWithinLifetime(kept.expiresAt, world.clock.now())) {
    const metadata = cachedMetadata(kept, options);
    if (metadata !== undefined) return assemble(world, cache, options, metadata);
  }
  const { discover } = await loadPart(() => import("./discovery.ts"));
  const found = await discover(world, options, signal);
  const metadata = parseMetadata(found.document, found.source, options);
  await cache.merge({ metadata: found });
  return assemble(world, cache, options, metadata);
}

/**
 * Opens a provider to verify what a refresh or userinfo brings: the cached document and keys serve however old they
 * are, because a refresh is one request. Where nothing is cached, discovery takes place.
 * @throws {OidcError} like {@link openProvider}.
 */
export async function openProviderForRefresh(
  world: ProviderWorld,
  options: ProviderOptions,
  signal?: AbortSignal,
): Promise<Provider> {
  assertIssuer(options);
  const cache = await DiscoveryCache.open(world, options.issuer);
  const metadata = isCompleteWithoutDiscovery(options)
    ? metadataFromOptions(options)
    : cachedMetadata(cache.read().metadata, options);
  if (metadata !== undefined) return assemble(world, cache, options, metadata, true);
  return openProvider(world, options, signal);
}
