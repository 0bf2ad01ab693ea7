// The claims of an ID token that was verified before it was stored. Changes when more of them are read.

import type { IdTokenClaims } from "./types.ts";

/** The claims of a stored ID token; undefined where the text is no JWT. Nothing is verified here. */
export function decodeStoredIdToken(idToken: string): IdTokenClaims | undefined {
  try {
    const payload = Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString("utf8");
    const claims: unknown = JSON.parse(payload);
    return typeof claims === "object" && claims !== null && !Array.isArray(claims)
      ? (claims as IdTokenClaims)
      : undefined;
  } catch {
    return undefined;
  }
}

/** When a stored ID token was issued and ends, in seconds since the epoch; undefined where it does not say. */
export function idTokenTimes(idToken: string): { issuedAt: number; expiresAt: number } | undefined {
  const claims = decodeStoredIdToken(idToken);
  return Number.isFinite(claims?.iat) && Number.isFinite(claims?.exp)
    ? { issuedAt: Number(claims?.iat), expiresAt: Number(claims?.exp) }
    : undefined;
}
