// The provider's keys: fetched, reduced to those that can verify, cached. Changes when another kind of key is used.

import { OidcError } from "../core/errors.ts";
import { keySetLifetimeSeconds, mostJsonWebKeys } from "../core/limits.ts";
import { hostOf } from "../core/hosts.ts";
import { readJsonObject } from "../http/json-body.ts";
import { expiryOf, isFresh } from "./cache-lifetime.ts";
import type { DiscoveryCache } from "./discovery-cache.ts";
import type { KeySource, ProviderWorld, PublicKey } from "./provider-types.ts";

const step = "key set";

// RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used". The upper bound is OpenSSL's own; a public
// exponent of more than 64 bits only costs time.
const shortestModulusBits = 2048;
const longestModulusCharacters = Math.ceil((2048 * 4) / 3);
const longestExponentCharacters = 11;
const longestCoordinateCharacters = 88;
const ellipticCurves = ["P-256", "P-384", "P-521"];

function isText(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= longest;
}

function isForSignatures(key: Readonly<Record<string, unknown>>): boolean {
  const { use, key_ops: operations } = key;
  if (use !== undefined && use !== "sig") return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes("verify"));
}

function bitLength(bytes: Uint8Array): number {
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start === -1) return 0;
  return (bytes.length - start) * 8 - (Math.clz32(bytes[start] ?? 0) - 24);
}

/**
 * RFC 8017 section 3.1: the exponent is odd and at least 3. With 1 every message is its own signature; an even one is
 * no key at all.
 */
function isSoundRsaKey(n: string, e: string): boolean {
  const exponent = Buffer.from(e, "base64url");
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
  return (
    isOdd &&
    bitLength(exponent) >= 2 &&
    bitLength(Buffer.from(n, "base64url")) >= shortestModulusBits
  );
}

/** The members that verification needs; never the private ones that a careless provider publishes. */
function parseMaterial(key: Readonly<Record<string, unknown>>): PublicKey | undefined {
  const { kty, n, e, crv, x, y } = key;
  if (kty === "RSA") {
    const areTexts = isText(n, longestModulusCharacters) && isText(e, longestExponentCharacters);
    return areTexts && isSoundRsaKey(n, e) ? { kty, n, e } : undefined;
  }
  if (!isText(x, longestCoordinateCharacters) || typeof crv !== "string") return undefined;
  if (kty === "OKP") return crv === "Ed25519" ? { kty, crv, x } : undefined;
  if (kty !== "EC" || !ellipticCurves.includes(crv)) return undefined;
  return isText(y, longestCoordinateCharacters) ? { kty, crv, x, y } : undefined;
}

function parseKey(value: unknown): PublicKey | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const key = value as Readonly<Record<string, unknown>>;
  const material = isForSignatures(key) ? parseMaterial(key) : undefined;
  if (material === undefined) return undefined;
  const { kid, alg } = key;
  return {
    ...material,
    ...(typeof kid === "string" ? { kid } : {}),
    ...(typeof alg === "string" ? { alg } : {}),
  };
}

/** The usable signature keys of a key set document, a hundred at most; undefined where it is no key set. */
export function parseKeySet(
  document: Readonly<Record<string, unknown>>,
): readonly PublicKey[] | undefined {
  const { keys } = document;
  if (!Array.isArray(keys)) return undefined;
  const usable: PublicKey[] = [];
  for (const entry of keys) {
    const key = parseKey(entry);
    if (key !== undefined) usable.push(key);
    if (usable.length === mostJsonWebKeys) break;
  }
  return usable;
}

/** Keys for a provider that publishes none that we know of. */
export const noKeys: KeySource = {
  known: false,
  current: () => Promise.resolve([]),
  fetchAgain: () => Promise.resolve([]),
};

/** The keys at one address, kept in the provider's cache. */
export class KeySet implements KeySource {
  readonly known = true;
  readonly #world: ProviderWorld;
  readonly #cache: DiscoveryCache;
  readonly #jwksUri: string;
  readonly #acceptsOld: boolean;
  #prefetched: Promise<readonly PublicKey[] | undefined> | undefined;

  /** `acceptsOld`: keys may be older than their lifetime, as for a refresh, which is one request. */
  constructor(world: ProviderWorld, cache: DiscoveryCache, jwksUri: string, acceptsOld: boolean) {
    this.#world = world;
    this.#acceptsOld = acceptsOld;
    this.#cache = cache;
    this.#jwksUri = jwksUri;
  }

  /** Loads the keys in the background where none that serve are cached. A failure shows when the keys are needed. */
  prefetch(signal?: AbortSignal): void {
    if (this.#prefetched !== undefined || this.#cached() !== undefined) return;
    this.#prefetched = this.fetchAgain(signal).catch(() => undefined);
  }

  async current(signal?: AbortSignal): Promise<readonly PublicKey[]> {
    return (await this.#prefetched) ?? this.#cached() ?? this.fetchAgain(signal);
  }

  async fetchAgain(signal?: AbortSignal): Promise<readonly PublicKey[]> {
    const host = hostOf(this.#jwksUri);
    const answer = await this.#world.http.send({
      method: "GET",
      url: this.#jwksUri,
      step,
      accept: "application/jwk-set+json, application/json",
      metadata: true,
      signal,
    });
    const body = readJsonObject(answer);
    const keys = answer.status === 200 && body.ok ? parseKeySet(body.value) : undefined;
    if (keys === undefined || !body.ok) {
      const why = answer.status === 200 ? (body.ok ? "JSON without keys" : body.why) : "";
      throw new OidcError(
        "discovery_failed",
        `${host} gave no key set to verify ID tokens with (key set: ${why === "" ? `status ${answer.status}` : why}). Try again later; if it stays so, check \`jwksUri\` or ask the provider's administrator.`,
        { reason: "jwks_unusable" },
      );
    }
    const expiresAt = expiryOf(answer.headers, keySetLifetimeSeconds, this.#world.clock.now());
    const jwksUri = this.#jwksUri;
    await this.#cache.merge({ keySet: { jwksUri, document: body.value, expiresAt } });
    return keys;
  }

  #cached(): readonly PublicKey[] | undefined {
    const { keySet } = this.#cache.read();
    const serves = this.#acceptsOld || isFresh(keySet?.expiresAt ?? 0, this.#world.clock.now());
    // A set without a usable key is as good as none; a provider may have published its first key since.
    const keys =
      serves && keySet?.jwksUri === this.#jwksUri ? parseKeySet(keySet.document) : undefined;
    return keys === undefined || keys.length === 0 ? undefined : keys;
  }
}
