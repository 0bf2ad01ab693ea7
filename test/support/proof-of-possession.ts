// Proofs of possession as a client makes them, and every way to make them wrong (RFC 9449 section 4.2).
import { createHash, randomUUID } from "node:crypto";
import { signedToken, type SigningKey } from "./token-issuer.ts";

/** What of a key belongs into the header of a proof. */
export function publicHalf({ jwk }: SigningKey): Readonly<Record<string, unknown>> {
  const { kty, crv, x, y, n, e } = jwk;
  const members = Object.entries({ kty, crv, x, y, n, e });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** `ath`: what a proof says of its token. */
export function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** A proof by `key` for `token`. */
export function proofOf(
  key: SigningKey,
  token: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const { kty } = key.jwk;
  const alg = kty === "EC" ? "ES256" : kty === "RSA" ? "RS256" : "EdDSA";
  return signedToken(
    key,
    { typ: "dpop+jwt", alg, jwk: publicHalf(key), ...header },
    {
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      ath: hashOfToken(token),
      ...claims,
    },
  );
}
