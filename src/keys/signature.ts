// Whether a compact JWS was signed with a key, a secret, or one of a provider's keys.

import { constants, createHmac, timingSafeEqual, verify, type KeyObject } from "node:crypto";
import type { Secret } from "../core/secret.ts";
import { asymmetricAlgorithms, symmetricAlgorithms } from "./algorithms.ts";
import type { AsymmetricAlgorithm } from "./algorithms.ts";
import { claimsOf, parseCompactToken, type CompactToken } from "./compact-token.ts";
import { derSignature } from "./ecdsa-der.ts";
import type { KeySource } from "./key-source.ts";
import { preparedKey, type PublicKey } from "./public-key.ts";

/** Why a token is not accepted as signed. */
export type SignatureProblem =
  | "malformed"
  | "alg"
  | "signature"
  | "jwks_key_not_found"
  | "jwks_ambiguous";

/** `verified` is false where the provider has no known keys, so that nothing could be compared. */
export type SignatureResult =
  | {
      readonly accepted: true;
      readonly algorithm: string;
      readonly verified: boolean;
      /** The provider's key that made the signature; undefined where a secret did, or nothing could be compared. */
      readonly key: PublicKey | undefined;
      readonly header: CompactToken["header"];
      readonly payload: Readonly<Record<string, unknown>>;
    }
  | { readonly accepted: false; readonly problem: SignatureProblem };

/** What a token's signature is judged by. */
export interface SignatureRules {
  readonly keys: KeySource;
  /** The algorithms that may be used; undefined: every asymmetric one that is known here. */
  readonly listedAlgorithms: readonly string[] | undefined;
  /** Where tokens may be signed with a shared secret. */
  readonly clientSecret?: Secret | undefined;
  readonly signal?: AbortSignal | undefined;
}

// Keys without `kid` are tried one by one; a provider with more of one kind than this leaves us guessing.
const maxCandidates = 16;

/** True where a key may have made this signature: its kind, its name and the algorithm that it is for all agree. */
function fits(key: PublicKey, token: CompactToken, algorithm: AsymmetricAlgorithm): boolean {
  if (token.keyId !== undefined && key.kid !== token.keyId) return false;
  if (key.kty !== algorithm.kty || key.crv !== algorithm.crv) return false;
  if (key.alg === undefined || key.alg === token.algorithm) return true;
  // RFC 9864 section 2.2: EdDSA and Ed25519 are two names for one thing, where the curve is Ed25519.
  return algorithm.kty === "OKP" && asymmetricAlgorithms.get(key.alg) === algorithm;
}

function signatureFor(token: CompactToken, algorithm: AsymmetricAlgorithm): Buffer | undefined {
  const { coordinateBytes } = algorithm;
  if (coordinateBytes === undefined) return token.signature;
  return derSignature(token.signature, coordinateBytes);
}

const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  // RFC 7518 section 3.5: "The size of the salt value is the same size as the hash function output."
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

/** RFC 8017 section 8.1.2: a signature that "is not k octets" is none. OpenSSL takes one without its leading zeros. */
function hasModulusLength(signature: Buffer, key: KeyObject): boolean {
  return signature.length === Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

/** {@link isSignedBy} for a key that fits. */
function hasSignatureOf(
  key: PublicKey,
  token: CompactToken,
  algorithm: AsymmetricAlgorithm,
): boolean {
  const object = preparedKey(key);
  const signature = signatureFor(token, algorithm);
  if (object === undefined || signature === undefined) return false;
  try {
    const { digest, isPss } = algorithm;
    if (isPss !== true) return verify(digest, token.signed, object, signature);
    if (!hasModulusLength(signature, object)) return false;
    return verify(digest, token.signed, { key: object, ...pss }, signature);
  } catch {
    // OpenSSL takes a signature of the wrong length for an error, and for us it is a wrong signature.
    return false;
  }
}

/**
 * True where this key made the token's signature. Which algorithm is used follows from the key and from the caller's
 * list; the token's own word is compared with both.
 * @see RFC 7515 section 5.2, RFC 7518 section 3, RFC 8037 section 3.1
 */
export function isSignedBy(token: CompactToken, key: PublicKey): boolean {
  const algorithm = asymmetricAlgorithms.get(token.algorithm);
  if (algorithm === undefined || !fits(key, token, algorithm)) return false;
  return hasSignatureOf(key, token, algorithm);
}

/** True where this secret made the token's signature (RFC 7518 section 3.2, OpenID Connect Core section 10.1). */
export function isSignedWithSecret(token: CompactToken, secret: string | Uint8Array): boolean {
  const digest = symmetricAlgorithms.get(token.algorithm);
  if (digest === undefined) return false;
  const expected = createHmac(digest, secret).update(token.signed).digest();
  const { signature } = token;
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

/** The key that made the signature, or why there is none. */
export function signingKeyIn(
  keys: readonly PublicKey[],
  token: CompactToken,
  algorithm: AsymmetricAlgorithm,
): PublicKey | SignatureProblem {
  let candidates = 0;
  let first: PublicKey | undefined;
  for (const key of keys) {
    if (!fits(key, token, algorithm)) continue;
    candidates += 1;
    first ??= key;
  }
  if (first === undefined) return "jwks_key_not_found";
  if (candidates > maxCandidates) return "jwks_ambiguous";
  if (hasSignatureOf(first, token, algorithm)) return first;
  if (candidates === 1) return "signature";
  const others = keys.filter((key) => key !== first && fits(key, token, algorithm));
  return others.find((key) => hasSignatureOf(key, token, algorithm)) ?? "signature";
}

/** Keys that a token was held against, and what came of it. */
export interface JudgedKeys {
  readonly keys: readonly PublicKey[];
  readonly found: PublicKey | SignatureProblem;
}

/**
 * The key of an issuer that made the signature, or why there is none. An unknown `kid` or a signature that does not match
 * has the keys fetched again, once.
 * @param judged what came of the keys at hand, where they were tried before.
 * @throws {OidcError} what fetching the keys throws.
 */
export async function signingKeyOf(
  source: KeySource,
  token: CompactToken,
  algorithm: AsymmetricAlgorithm,
  {
    judged,
    signal,
  }: { readonly judged?: JudgedKeys | undefined; readonly signal?: AbortSignal | undefined },
): Promise<PublicKey | SignatureProblem> {
  const keys = judged?.keys ?? (await source.current(signal));
  const found = judged?.found ?? signingKeyIn(keys, token, algorithm);
  if (found !== "jwks_key_not_found" && found !== "signature") return found;
  // OpenID Connect Core section 10.1.1: the verifier goes back to the jwks_uri for a `kid` that it does not know.
  const fresh = await source.fetchAgain(signal, token.keyId);
  // The set was fetched too lately to be fetched again: what it said of this token, it says still.
  return fresh === keys ? found : signingKeyIn(fresh, token, algorithm);
}

/** The algorithm of a token that the provider's keys have to judge; undefined where it is not accepted. */
export function acceptedAlgorithm(
  { algorithm, signature }: CompactToken,
  listed: readonly string[] | undefined,
): AsymmetricAlgorithm | undefined {
  if (signature.length === 0 || listed?.includes(algorithm) === false) return undefined;
  return asymmetricAlgorithms.get(algorithm);
}

/**
 * Whether tokens may be signed with a shared secret. With a public key taken for the secret, anybody could sign: so only
 * with a real secret, and only where the provider says that it signs this way.
 */
function usableSecret(algorithm: string, rules: SignatureRules): string | undefined {
  const isListed = rules.listedAlgorithms?.includes(algorithm) === true;
  const secret = isListed ? rules.clientSecret?.reveal() : undefined;
  return secret === "" ? undefined : secret;
}

function refuse(problem: SignatureProblem): SignatureResult {
  return { accepted: false, problem };
}

/**
 * Judges the form, the algorithm and the signature of a token; its claims are the caller's to judge. Keys at hand are
 * used however old they are; an unknown `kid` or a signature that does not match has them fetched again, once.
 * @throws {OidcError} what fetching the keys throws.
 * @see RFC 7515 section 5.2, RFC 8725 section 3
 */
export async function checkSignature(
  token: string,
  rules: SignatureRules,
): Promise<SignatureResult> {
  const parsed = parseCompactToken(token);
  const payload = parsed && claimsOf(parsed);
  if (parsed === undefined || payload === undefined) return refuse("malformed");
  const { algorithm: name, header } = parsed;
  const accept = (verified: boolean, key?: PublicKey): SignatureResult => {
    return { accepted: true, algorithm: name, verified, key, header, payload };
  };
  if (symmetricAlgorithms.has(name)) {
    const secret = usableSecret(name, rules);
    if (secret === undefined || parsed.signature.length === 0) return refuse("alg");
    return isSignedWithSecret(parsed, secret) ? accept(true) : refuse("signature");
  }
  const algorithm = acceptedAlgorithm(parsed, rules.listedAlgorithms);
  if (algorithm === undefined) return refuse("alg");
  if (!rules.keys.known) return accept(false);
  const { keys, signal } = rules;
  const key = await signingKeyOf(keys, parsed, algorithm, { signal });
  return typeof key === "string" ? refuse(key) : accept(true, key);
}
