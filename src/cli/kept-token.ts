// A token handed on again and again, each before the last one ends: for files that other programs read.

import type { Clock } from "../core/clock.ts";
import { decisionsFor } from "../core/error-table.ts";
import { isOidcError, type OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";

/** Ahead of its end, a quarter of a token's life, and no more than this. */
const maxMarginMilliseconds = 300_000;
/** One that has no known end is asked for again in this time, as whoever signed in anew has another one. */
const unknownEndMilliseconds = 300_000;
const maxPauseMilliseconds = 24 * 3_600_000;
const retryMilliseconds = 10_000;
const minPauseMilliseconds = 1000;
const defaultMinValiditySeconds = 60;

/** What keeping takes. */
export interface Keeping {
  readonly getToken: (request: GetTokenOptions) => Promise<AccessToken>;
  readonly request: GetTokenOptions;
  readonly clock: Clock;
  /** Ends the keeping, with its reason. */
  readonly signal: AbortSignal;
  /** Takes a token: the first, and each that is another one. */
  readonly take: (token: AccessToken) => void | Promise<void>;
  /** Told of what passes by itself, once until it has passed. */
  readonly onFailure: (error: OidcError) => void;
}

/** How long a token is left alone, and how long the next one has to last. */
export function planAfter(
  expiresAt: Date | undefined,
  now: number,
  minValiditySeconds: number = defaultMinValiditySeconds,
): { readonly pause: number; readonly minValiditySeconds: number } {
  if (expiresAt === undefined) return { pause: unknownEndMilliseconds, minValiditySeconds };
  const left = Math.max(0, expiresAt.getTime() - now);
  const margin = Math.min(maxMarginMilliseconds, left / 4);
  return {
    pause: Math.min(maxPauseMilliseconds, Math.max(minPauseMilliseconds, left - margin)),
    minValiditySeconds: Math.max(minValiditySeconds, Math.ceil(margin / 1000) + 1),
  };
}

/**
 * Keeps on until the signal. Only the first token may take a person.
 * @throws {OidcError} what does not pass by itself; the signal's reason.
 */
export async function keepFresh(keeping: Keeping): Promise<never> {
  const { getToken, clock, signal, take, onFailure } = keeping;
  let request = keeping.request;
  let last: string | undefined;
  let isTold = false;
  for (;;) {
    let pause = retryMilliseconds;
    try {
      const token = await getToken({ ...request, signal });
      if (token.token !== last) await take(token);
      last = token.token;
      isTold = false;
      const plan = planAfter(token.expiresAt, clock.now(), keeping.request.minValiditySeconds);
      ({ pause } = plan);
      const { minValiditySeconds } = plan;
      request = { ...request, forceRefresh: false, interactive: false, minValiditySeconds };
    } catch (error) {
      const passes =
        last !== undefined &&
        isOidcError(error) &&
        decisionsFor(error.code, error.reason).duration === "transient";
      if (!passes || signal.aborted) throw error;
      if (!isTold) onFailure(error);
      isTold = true;
    }
    await clock.sleep(pause, { signal });
  }
}
