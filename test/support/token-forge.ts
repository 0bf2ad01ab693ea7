// Makes tokens that a provider might send: genuine, expired, foreign, spoiled. Changes when tests need another kind.
import { createHash, generateKeyPairSync } from "node:crypto";
import { CompactSign, importJWK } from "jose";
import type { JWK } from "jose";
import { signingKeys } from "./provider-keys.ts";

/** Claims with which a test provider would sign for this client now. */
export function genuineClaims(issuer: string, clientId: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { iss: issuer, sub: "alice", aud: clientId, iat: now, exp: now + 3600 };
}

export interface ForgeOptions {
  /** Default RS256. */
  readonly algorithm?: string;
  /** Default: the test provider's own key for the algorithm. */
  readonly key?: JWK | Uint8Array;
  /** Header members beside `alg` and `kid`; undefined takes one away. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** The test provider's own private key for an algorithm. */
export async function providerKey(algorithm: string): Promise<JWK> {
  const kty = algorithm.startsWith("ES") ? "EC" : "RSA";
  const key = (await signingKeys()).find((candidate) => (candidate as JWK).kty === kty);
  if (key === undefined) throw new Error(`the test provider has no key for ${algorithm}`);
  return key;
}

const namedKeys = new Map<string, JWK>();

/** A key pair that belongs to nobody, as private JWK; the same one for the same `kid` and length. */
export function strangeKey(kid?: string, modulusLength = 2048): JWK {
  const name = `${kid} ${modulusLength}`;
  const made = kid === undefined ? undefined : namedKeys.get(name);
  if (made !== undefined) return made;
  const key = makeKey(kid, modulusLength);
  namedKeys.set(name, key);
  return key;
}

function makeKey(kid: string | undefined, modulusLength: number): JWK {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return { ...privateKey.export({ format: "jwk" }), ...(kid === undefined ? {} : { kid }) };
}

function unnamedKey(): JWK {
  const { kid: _kid, ...key } = strangeKey("unnamed");
  return key;
}

const curves: Readonly<Record<string, string>> = {
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
};

/** A key pair that can sign with an algorithm, as private JWK without `kid`; the same one for the same kind of key. */
export function keyFor(algorithm: string): JWK {
  const curve = curves[algorithm];
  if (curve === undefined && !algorithm.startsWith("Ed")) return unnamedKey();
  const name = curve ?? "Ed25519";
  const made = namedKeys.get(name);
  if (made !== undefined) return made;
  const { privateKey } =
    curve === undefined
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: curve });
  const key = privateKey.export({ format: "jwk" });
  namedKeys.set(name, key);
  return key;
}

/** The public half of a private JWK. */
export function publicHalf(key: JWK): JWK {
  const { kty, n, e, crv, x, y, kid, alg } = key;
  const members = Object.entries({ kty, n, e, crv, x, y, kid, alg });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** Signs claims, or any text, as a compact JWS. */
export async function forgeToken(
  payload: Readonly<Record<string, unknown>> | string,
  options: ForgeOptions = {},
): Promise<string> {
  const { algorithm = "RS256", header = {} } = options;
  const key = options.key ?? (await providerKey(algorithm));
  const kid = key instanceof Uint8Array ? undefined : key.kid;
  const members = Object.entries({ alg: algorithm, kid, ...header });
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const { alg: _registered, ...material } = key instanceof Uint8Array ? { alg: "" } : key;
  const imported = key instanceof Uint8Array ? key : await importJWK(material, algorithm);
  const protectedHeader = Object.fromEntries(members.filter(([, value]) => value !== undefined));
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ ...protectedHeader, alg: algorithm })
    .sign(imported);
}

function segment(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return Buffer.from(text).toString("base64url");
}

/** A token that nobody signed. */
export function unsignedToken(header: unknown, payload: unknown, signature = ""): string {
  return `${segment(header)}.${segment(payload)}.${signature}`;
}

/** The left half of a digest, as `at_hash` and `c_hash` have it. */
export function halfHash(value: string, digest = "sha256"): string {
  const whole = createHash(digest).update(value).digest();
  return whole.subarray(0, whole.length / 2).toString("base64url");
}
