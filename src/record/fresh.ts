// Whether a cached token is good for long enough. Changes when the contract's rule of freshness does.

import { clockToleranceSeconds } from "../core/limits.ts";
import type { AccessTokenRecord } from "./format.ts";

/** When a token came and when it ends, in seconds since the epoch; an ID token's are its `iat` and `exp`. */
export type TokenTimes = Pick<AccessTokenRecord, "issuedAt" | "expiresAt">;

/**
 * Whether a token is good for at least `minValiditySeconds` more; one that lives no longer than that is fresh for half
 * of its life, one without a known end always.
 */
export function isFresh(
  token: TokenTimes,
  minValiditySeconds: number,
  nowSeconds: number,
): boolean {
  if (token.expiresAt === null) return true;
  // A token from the future: the clock was moved back, and "not yet expired" means nothing (C16).
  if (token.issuedAt > nowSeconds + clockToleranceSeconds) return false;
  const lifetime = token.expiresAt - token.issuedAt;
  // Without this, a provider whose tokens live for 60 seconds would be asked at every call (R16).
  if (lifetime <= minValiditySeconds) return nowSeconds < token.issuedAt + lifetime / 2;
  const left = token.expiresAt - nowSeconds;
  return left > 0 && left >= minValiditySeconds;
}
