// The signature algorithms that are accepted, as data: what each needs of a key, and how it signs.

/** An algorithm that signs with a private key. */
export interface AsymmetricAlgorithm {
  readonly kty: "RSA" | "EC" | "OKP";
  readonly crv?: string;
  /** Null: the signature scheme digests by itself. */
  readonly digest: string | null;
  /** RSA: whether the padding is PSS rather than PKCS #1 v1.5. */
  readonly isPss?: boolean;
  /** EC: the bytes of each of the two numbers that a signature consists of. */
  readonly coordinateBytes?: number;
}

const ed25519: AsymmetricAlgorithm = { kty: "OKP", crv: "Ed25519", digest: null };

/**
 * RFC 8725 section 3.1: "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any
 * other algorithms". `none` is in no list.
 * @see RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1, RFC 9864 section 2.2
 */
export const asymmetricAlgorithms: ReadonlyMap<string, AsymmetricAlgorithm> = new Map([
  ["RS256", { kty: "RSA", digest: "sha256" }],
  ["RS384", { kty: "RSA", digest: "sha384" }],
  ["RS512", { kty: "RSA", digest: "sha512" }],
  ["PS256", { kty: "RSA", digest: "sha256", isPss: true }],
  ["PS384", { kty: "RSA", digest: "sha384", isPss: true }],
  ["PS512", { kty: "RSA", digest: "sha512", isPss: true }],
  ["ES256", { kty: "EC", crv: "P-256", digest: "sha256", coordinateBytes: 32 }],
  ["ES384", { kty: "EC", crv: "P-384", digest: "sha384", coordinateBytes: 48 }],
  ["ES512", { kty: "EC", crv: "P-521", digest: "sha512", coordinateBytes: 66 }],
  ["EdDSA", ed25519],
  ["Ed25519", ed25519],
]);

/** The digest of each algorithm that signs with a shared secret (RFC 7518 section 3.2). */
export const symmetricAlgorithms: ReadonlyMap<string, string> = new Map([
  ["HS256", "sha256"],
  ["HS384", "sha384"],
  ["HS512", "sha512"],
]);

/** The digest that belongs to an algorithm; Ed25519 has SHA-512 inside (RFC 8032 section 5.1). */
export function digestOf(algorithm: string): string {
  const digest = asymmetricAlgorithms.get(algorithm)?.digest ?? symmetricAlgorithms.get(algorithm);
  return digest ?? "sha512";
}
