// Whether a compact JWS was signed by the provider. Changes when an algorithm is added or dropped.

// By subpath: the whole of jose takes twice as long to load, and a refresh is waited for.
import { compactVerify } from "jose/jws/compact/verify";
import { importJWK } from "jose/key/import";
import { longestTokenCharacters } from "../core/limits.ts";
import { parsePlainJson } from "../core/plain-json.ts";
import type { Secret } from "../core/secret.ts";
import type { KeySource, PublicKey } from "./provider-types.ts";

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
      readonly payload: Readonly<Record<string, unknown>>;
    }
  | { readonly accepted: false; readonly problem: SignatureProblem };

/** What a token's signature is judged by. */
export interface SignatureRules {
  readonly keys: KeySource;
  /** The algorithms that the provider lists; undefined where it lists none. */
  readonly listedAlgorithms: readonly string[] | undefined;
  readonly clientSecret: Secret | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Header {
  readonly alg: string;
  readonly kid?: string;
}

interface KeyKind {
  readonly kty: PublicKey["kty"];
  readonly crv?: string;
}

const rsa: KeyKind = { kty: "RSA" };
const ed25519: KeyKind = { kty: "OKP", crv: "Ed25519" };

// RFC 8725 section 3.1: "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use
// any other algorithms". `none` is in no list.
const asymmetric: ReadonlyMap<string, KeyKind> = new Map([
  ["RS256", rsa],
  ["RS384", rsa],
  ["RS512", rsa],
  ["PS256", rsa],
  ["PS384", rsa],
  ["PS512", rsa],
  ["ES256", { kty: "EC", crv: "P-256" }],
  ["ES384", { kty: "EC", crv: "P-384" }],
  ["ES512", { kty: "EC", crv: "P-521" }],
  ["EdDSA", ed25519],
  ["Ed25519", ed25519],
]);
const symmetric = ["HS256", "HS384", "HS512"];

// Keys without `kid` are tried one by one; a provider with more of one kind than this leaves us guessing.
const mostCandidates = 16;

const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

function parseSegment(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const bytes = Buffer.from(segment, "base64url");
    const value = parsePlainJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function parseHeader(segment: string): Header | undefined {
  const header = parseSegment(segment);
  if (header === undefined || typeof header["alg"] !== "string") return undefined;
  // RFC 7515 section 4.1.11: an extension that is not understood makes the token invalid; we understand none.
  // `jku`, `jwk`, `x5u` and `x5c` are never looked at: a token does not say which key is right.
  if (header["crit"] !== undefined) return undefined;
  const { kid } = header;
  return { alg: header["alg"], ...(typeof kid === "string" ? { kid } : {}) };
}

function fits(key: PublicKey, header: Header, kind: KeyKind): boolean {
  if (key.kty !== kind.kty || key.crv !== kind.crv) return false;
  if (header.kid !== undefined && key.kid !== header.kid) return false;
  if (key.alg === undefined || key.alg === header.alg) return true;
  return kind === ed25519 && asymmetric.get(key.alg) === ed25519;
}

async function isSignedBy(token: string, algorithm: string, key: PublicKey): Promise<boolean> {
  try {
    const { kty, n, e, crv, x, y } = key;
    const material = Object.fromEntries(
      Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined),
    );
    const imported = await importJWK(material, algorithm);
    await compactVerify(token, imported, { algorithms: [algorithm] });
    return true;
  } catch {
    // A signature that does not match, or a key that is none: in neither case did this key sign this token.
    return false;
  }
}

async function verifyWith(
  token: string,
  header: Header,
  kind: KeyKind,
  keys: readonly PublicKey[],
): Promise<SignatureProblem | undefined> {
  const candidates = keys.filter((key) => fits(key, header, kind));
  if (candidates.length === 0) return "jwks_key_not_found";
  if (candidates.length > mostCandidates) return "jwks_ambiguous";
  for (const key of candidates) {
    if (await isSignedBy(token, header.alg, key)) return undefined;
  }
  return "signature";
}

/** Signed with the client secret (OpenID Connect Core section 10.1). */
async function isSignedWithSecret(
  token: string,
  algorithm: string,
  secret: Secret,
): Promise<boolean> {
  try {
    const key = new TextEncoder().encode(secret.reveal());
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}

function isAlgorithmAllowed(algorithm: string, rules: SignatureRules): boolean {
  const { listedAlgorithms: listed, clientSecret } = rules;
  if (symmetric.includes(algorithm)) {
    // With a public key taken for the secret, anybody could sign: so only with a real secret, and only where the
    // provider says that it signs so.
    const hasSecret = clientSecret !== undefined && clientSecret.reveal() !== "";
    return hasSecret && listed !== undefined && listed.includes(algorithm);
  }
  return asymmetric.has(algorithm) && (listed === undefined || listed.includes(algorithm));
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
  const refuse = (problem: SignatureProblem): SignatureResult => ({ accepted: false, problem });
  // Size and shape first: nothing is decoded, split or hashed that could not be a signed token.
  if (token.length > longestTokenCharacters || !compactForm.test(token)) return refuse("malformed");
  const [headerSegment = "", payloadSegment = "", signatureSegment] = token.split(".");
  const header = parseHeader(headerSegment);
  const payload = parseSegment(payloadSegment);
  if (header === undefined || payload === undefined) return refuse("malformed");
  if (!isAlgorithmAllowed(header.alg, rules) || signatureSegment === "") return refuse("alg");
  const accept = (verified: boolean): SignatureResult => ({
    accepted: true,
    algorithm: header.alg,
    verified,
    payload,
  });

  const kind = asymmetric.get(header.alg);
  if (kind === undefined) {
    if (rules.clientSecret === undefined) return refuse("alg");
    const signed = await isSignedWithSecret(token, header.alg, rules.clientSecret);
    return signed ? accept(true) : refuse("signature");
  }
  if (!rules.keys.known) return accept(false);
  const current = await rules.keys.current(rules.signal);
  let problem = await verifyWith(token, header, kind, current);
  if (problem === "jwks_key_not_found" || problem === "signature") {
    // OpenID Connect Core section 10.1.1: the verifier goes back to the jwks_uri for a `kid` that it does not know.
    const fresh = await rules.keys.fetchAgain(rules.signal);
    problem = await verifyWith(token, header, kind, fresh);
  }
  return problem === undefined ? accept(true) : refuse(problem);
}
