// What the registered claims of a JWT look like, whoever reads them (RFC 7519 section 4.1).

import { maxInstantSeconds } from "../core/limits.ts";

/** A NumericDate that a date can hold. */
export function isInstant(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= maxInstantSeconds;
}

/**
 * A usable `exp`. JSON has no NaN, but 1e400 is read as Infinity: a token that never ends. One that ends when no date can
 * be is used for as long as any token at most.
 */
export function isExpiry(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** `aud`: one text, or a list of texts. */
export function isAudience(value: unknown): value is string | string[] {
  if (typeof value === "string") return true;
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}
