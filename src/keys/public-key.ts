// Public keys out of a key set document: reduced to those that can verify a signature, prepared once.

import { createPublicKey, type KeyObject } from "node:crypto";
import { maxJsonWebKeys } from "../core/limits.ts";

/** A public key as a key set has it (RFC 7517), reduced to the members that verification needs. */
export interface PublicKey {
  readonly kty: "RSA" | "EC" | "OKP";
  readonly kid?: string;
  readonly alg?: string;
  readonly crv?: string;
  readonly n?: string;
  readonly e?: string;
  readonly x?: string;
  readonly y?: string;
}

// RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used". The upper bound is OpenSSL's own; a public
// exponent of more than 64 bits only costs time.
const minModulusBits = 2048;
const maxModulusCharacters = Math.ceil((2048 * 4) / 3);
const maxExponentCharacters = 11;
const maxCoordinateCharacters = 88;
const ellipticCurves = ["P-256", "P-384", "P-521"];

function isText(value: unknown, maxCharacters: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= maxCharacters;
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
 * RFC 8017 section 3.1: the exponent is odd and at least 3. With 1 every message is its own signature; an even one does
 * not make a key.
 */
function isSoundRsaKey(n: string, e: string): boolean {
  const exponent = Buffer.from(e, "base64url");
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
  return (
    isOdd && bitLength(exponent) >= 2 && bitLength(Buffer.from(n, "base64url")) >= minModulusBits
  );
}

// The encodings of the points of order 8 and less, with the bit of the sign left out. Under such a key a signature that
// anybody can write down is right for one message in eight, or for all. As in libsodium's `ge25519_has_small_order`.
const smallOrderPoints: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

function isSoundEdwardsKey(x: string): boolean {
  const point = Buffer.from(x, "base64url");
  const last = point.length - 1;
  point[last] = (point[last] ?? 0) & 0x7f;
  return !smallOrderPoints.has(point.toString("hex"));
}

/** The members that verification needs; never the private ones that a careless provider publishes. */
function parseMaterial(key: Readonly<Record<string, unknown>>): PublicKey | undefined {
  const { kty, n, e, crv, x, y } = key;
  if (kty === "RSA") {
    const areTexts = isText(n, maxModulusCharacters) && isText(e, maxExponentCharacters);
    return areTexts && isSoundRsaKey(n, e) ? { kty, n, e } : undefined;
  }
  if (!isText(x, maxCoordinateCharacters) || typeof crv !== "string") return undefined;
  if (kty === "OKP") {
    return crv === "Ed25519" && isSoundEdwardsKey(x) ? { kty, crv, x } : undefined;
  }
  if (kty !== "EC" || !ellipticCurves.includes(crv)) return undefined;
  return isText(y, maxCoordinateCharacters) ? { kty, crv, x, y } : undefined;
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

/** The usable signature keys of a key set document, a hundred at most; undefined where it is not a key set. */
export function parseKeySet(
  document: Readonly<Record<string, unknown>>,
): readonly PublicKey[] | undefined {
  const { keys } = document;
  if (!Array.isArray(keys)) return undefined;
  const usable: PublicKey[] = [];
  for (const entry of keys) {
    const key = parseKey(entry);
    if (key !== undefined) usable.push(key);
    if (usable.length === maxJsonWebKeys) break;
  }
  return usable;
}

const prepared = new WeakMap<PublicKey, KeyObject | "unusable">();

function prepare({ kty, n, e, crv, x, y }: PublicKey): KeyObject | "unusable" {
  try {
    const material = Object.entries({ kty, n, e, crv, x, y });
    const key = Object.fromEntries(material.filter(([, value]) => value !== undefined));
    return createPublicKey({ key, format: "jwk" });
  } catch {
    // A point that is not on its curve, a coordinate of the wrong length: with this key nothing was signed.
    return "unusable";
  }
}

/** The key in the form in which it verifies, made once for each key; undefined where its numbers do not make a key. */
export function preparedKey(key: PublicKey): KeyObject | undefined {
  let object = prepared.get(key);
  if (object === undefined) {
    object = prepare(key);
    prepared.set(key, object);
  }
  return object === "unusable" ? undefined : object;
}
