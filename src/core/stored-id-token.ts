// The claims of an ID token that was verified before it was stored. Changes when more of them are read.

import { maxInstantSeconds, maxLifetimeSeconds } from "./limits.ts";
import { parsePlainJson } from "./plain-json.ts";
import type { IdTokenClaims } from "./types.ts";

/** The claims of a stored ID token; undefined where the text is no JWT. Nothing is verified here. */
export function decodeStoredIdToken(idToken: string): IdTokenClaims | undefined {
  try {
    const payload = Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString("utf8");
    const claims = parsePlainJson(payload);
    return typeof claims === "object" && claims !== null && !Array.isArray(claims)
      ? (claims as IdTokenClaims)
      : undefined;
  } catch {
    return undefined;
  }
}

function isInstant(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= maxInstantSeconds;
}

/**
 * When a stored ID token was issued and ends, in seconds since the epoch; undefined where it does not say. One that
 * claims to live for ever lives as long as an access token can.
 */
export function idTokenTimes(idToken: string): { issuedAt: number; expiresAt: number } | undefined {
  const { iat, exp } = decodeStoredIdToken(idToken) ?? {};
  return isInstant(iat) && typeof exp === "number" && exp >= 0
    ? { issuedAt: iat, expiresAt: Math.min(exp, iat + maxLifetimeSeconds) }
    : undefined;
}
