// Whether something that was fetched may still be used without asking again.

import { maxMetadataLifetimeSeconds } from "./limits.ts";

/** True before the end of a lifetime. An end that lies too far ahead was written by a clock that was wrong, or by hand. */
export function isWithinLifetime(expiresAt: number, nowMilliseconds: number): boolean {
  const left = expiresAt - nowMilliseconds / 1000;
  return left > 0 && left <= maxMetadataLifetimeSeconds;
}
