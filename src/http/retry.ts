// When an operation is tried once more, and after how long.

import { maxRetryAfterSeconds } from "../core/limits.ts";

const shortestPauseMilliseconds = 100;
const pauseSpreadMilliseconds = 400;
// Longer numbers are no safe integers, and no time that anybody means.
const maxDigits = 15;

/** Statuses with which a gateway says that the server behind it did not answer this time. */
export function isGatewayFailure(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/**
 * The pause before the one retry: 100 to 500 milliseconds, so that many clients that failed together do not come
 * back together.
 */
export function retryPauseMilliseconds(randomBytes: (length: number) => Uint8Array): number {
  const [high = 0, low = 0] = randomBytes(2);
  const fraction = (high * 256 + low) / 65536;
  return shortestPauseMilliseconds + Math.floor(fraction * pauseSpreadMilliseconds);
}

// RFC 9110 section 5.6.7: a recipient must accept the preferred form and both obsolete ones; all begin with the day.
const looksLikeDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\x20-\x7e]{1,40}$/;

/**
 * Seconds that a `Retry-After` asks for; undefined where it is absent, negative or neither form of RFC 9110. A date
 * that has passed is 0.
 * @param nowMilliseconds the wall clock.
 * @see RFC 9110 section 10.2.3
 */
export function parseRetryAfter(
  value: string | undefined,
  nowMilliseconds: number,
): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return text.length > maxDigits ? undefined : Number(text);
  if (!looksLikeDate.test(text)) return undefined;
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) return undefined;
  return Math.max(0, Math.ceil((instant - nowMilliseconds) / 1000));
}

/**
 * Whether a wait before the retry makes sense: the server asks for 60 seconds at most, and time is left after it.
 * @param pauseMilliseconds the whole wait, what the server asked for and jitter.
 * @param remainingMilliseconds what is left of the operation's own limit.
 */
export function isWaitAcceptable(
  waitSeconds: number,
  pauseMilliseconds: number,
  remainingMilliseconds: number,
): boolean {
  return waitSeconds <= maxRetryAfterSeconds && pauseMilliseconds < remainingMilliseconds;
}
