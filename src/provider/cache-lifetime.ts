// How long an answer of metadata may be used without asking again, by its cache headers.

import { maxMetadataLifetimeSeconds, shortestMetadataLifetimeSeconds } from "../core/limits.ts";
import type { HttpAnswer } from "../http/exchange.ts";

function maxAgeOf(cacheControl: string): number | undefined {
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,12})/i.exec(cacheControl);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Seconds for which an answer may be used: `max-age` less `Age`, else `Expires`, else `fallbackSeconds`; never less
 * than five minutes, because a provider that forbids caching would cost every sign-in a request; never more than a day,
 * because whoever could answer in the provider's place once must not do so for longer.
 * @see RFC 9111 sections 4.2.1 and 5.3
 */
export function lifetimeSeconds(
  headers: HttpAnswer["headers"],
  fallbackSeconds: number,
  nowMilliseconds: number,
): number {
  const cacheControl = (headers["cache-control"] ?? "").slice(0, 1024);
  const age = Number(headers["age"] ?? 0);
  let seconds = maxAgeOf(cacheControl);
  if (seconds !== undefined) {
    seconds -= Number.isFinite(age) && age > 0 ? age : 0;
  } else if (/(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl)) {
    seconds = 0;
  } else {
    // RFC 9111 section 5.3: an invalid date, "especially including the value "0"", is a time in the past.
    const expires = headers["expires"];
    const instant = expires === undefined ? Number.NaN : Date.parse(expires.slice(0, 64));
    seconds = expires === undefined ? fallbackSeconds : (instant - nowMilliseconds) / 1000 || 0;
  }
  return Math.min(
    Math.max(Math.floor(seconds), shortestMetadataLifetimeSeconds),
    maxMetadataLifetimeSeconds,
  );
}

/** The end of a lifetime that begins now, in seconds since the epoch. */
export function expiryOf(
  headers: HttpAnswer["headers"],
  fallbackSeconds: number,
  nowMilliseconds: number,
): number {
  const lifetime = lifetimeSeconds(headers, fallbackSeconds, nowMilliseconds);
  return Math.floor(nowMilliseconds / 1000) + lifetime;
}
