// What a call wants beyond the configuration's own token: another target, or a stronger or newer authentication. Changes
// when a call can want something else.

import { clockToleranceSeconds } from "../core/limits.ts";
import { decodeStoredIdToken } from "../core/stored-id-token.ts";
import type { GetTokenOptions } from "../core/types.ts";
import type {
  AccessTokenRecord,
  OtherAccessTokenRecord,
  SessionRecord,
  TokenTarget,
} from "../record/format.ts";

/** How and when the person must have authenticated. */
export interface StepUp {
  /** In order of preference; undefined: any. */
  readonly acrValues: readonly string[] | undefined;
  /** Undefined: at any time. */
  readonly maxAgeSeconds: number | undefined;
  /** The same as an instant, counted from the beginning of the call; seconds since the epoch. */
  readonly authenticatedSince: number | undefined;
}

/** What the configuration asks for by itself. */
export interface Configured {
  readonly scopes: readonly string[] | undefined;
  readonly resource: string | readonly string[] | undefined;
}

/** Which token of a sign-in a call wants. */
export interface TokenVariant {
  readonly target?: TokenTarget | undefined;
  readonly stepUp?: StepUp | undefined;
}

function sortedSet(values: string | readonly string[] | undefined): string[] | null {
  const set = new Set(typeof values === "string" ? [values] : values);
  return set.size === 0 ? null : [...set].toSorted();
}

function isSameSet(one: readonly string[] | null, other: readonly string[] | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What the call names and the configuration has not already. */
function beyond(
  named: string | readonly string[] | undefined,
  configured: string | readonly string[] | undefined,
): string[] | null {
  const set = sortedSet(named);
  return isSameSet(set, sortedSet(configured)) ? null : set;
}

/** True where a call may want something beyond the configuration. Costs next to nothing: every call asks. */
export function hasVariant(options: GetTokenOptions): boolean {
  return (
    options.scopes !== undefined ||
    options.resource !== undefined ||
    options.acrValues !== undefined ||
    options.maxAgeSeconds !== undefined
  );
}

/** The variant that a call wants. An ID token is the sign-in's, whatever an access token is for. */
export function variantOf(
  options: GetTokenOptions,
  configured: Configured | undefined,
  nowSeconds: number,
): TokenVariant {
  const { acrValues, maxAgeSeconds } = options;
  const isAccessToken = options.tokenKind !== "id_token";
  const scopes = isAccessToken ? beyond(options.scopes, configured?.scopes) : null;
  const resources = isAccessToken ? beyond(options.resource, configured?.resource) : null;
  return {
    ...(scopes === null && resources === null ? {} : { target: { scopes, resources } }),
    ...(acrValues === undefined && maxAgeSeconds === undefined
      ? {}
      : {
          stepUp: {
            acrValues,
            maxAgeSeconds,
            authenticatedSince:
              maxAgeSeconds === undefined ? undefined : nowSeconds - maxAgeSeconds,
          },
        }),
  };
}

/** One name for equal variants, so that their calls share one piece of work; empty where there is none. */
export function variantNameOf({ target, stepUp }: TokenVariant): string {
  if (target === undefined && stepUp === undefined) return "";
  return JSON.stringify([
    target?.scopes ?? null,
    target?.resources ?? null,
    stepUp?.acrValues ?? null,
    stepUp?.maxAgeSeconds ?? null,
  ]);
}

function isSameTarget(one: TokenTarget, other: TokenTarget): boolean {
  return isSameSet(one.scopes, other.scopes) && isSameSet(one.resources, other.resources);
}

/** The cached access token for a target. */
export function otherTokenOf(
  record: SessionRecord,
  target: TokenTarget,
): OtherAccessTokenRecord | undefined {
  return record.otherAccessTokens?.findLast(({ wanted }) => isSameTarget(wanted, target));
}

/** Tells one token for a target from the next, even where a provider gives out the same text again. */
export function markOf(token: AccessTokenRecord | undefined): string {
  return token === undefined ? "" : `${String(token.issuedAt)} ${token.token}`;
}

// A program that asks for ever new scopes must not make the file grow without end.
const maxOtherTokens = 20;

/** The list with a new token at its end, without those that have ended, the newest few. */
export function otherTokensWith(
  previous: readonly OtherAccessTokenRecord[] | undefined,
  next: OtherAccessTokenRecord | undefined,
  nowSeconds: number,
): Pick<SessionRecord, "otherAccessTokens"> {
  const kept = (previous ?? []).filter(
    ({ wanted, expiresAt }) =>
      (expiresAt === null || expiresAt > nowSeconds) &&
      !(next !== undefined && isSameTarget(wanted, next.wanted)),
  );
  const list = [...kept, ...(next === undefined ? [] : [next])].slice(-maxOtherTokens);
  return list.length === 0 ? {} : { otherAccessTokens: list };
}

/** What a sign-in lacks of a step-up. */
export type UnmetStepUp = "id_token" | "acr" | "auth_time";

/** What the ID token of a sign-in does not confirm; undefined where it confirms everything. */
export function unmetStepUpOf(
  record: SessionRecord,
  stepUp: StepUp,
  nowSeconds: number,
): UnmetStepUp | undefined {
  const claims = record.idToken === undefined ? undefined : decodeStoredIdToken(record.idToken);
  if (claims === undefined) return "id_token";
  const { acrValues, authenticatedSince } = stepUp;
  const { acr = record.acr } = claims;
  // The record's is the sign-in's; a later ID token may tell a later time.
  const authTime = record.authTime ?? claims["auth_time"];
  if (acrValues !== undefined && !(typeof acr === "string" && acrValues.includes(acr))) {
    return "acr";
  }
  if (authenticatedSince === undefined) return undefined;
  // One from the future would be recent for ever.
  const isRecent =
    typeof authTime === "number" &&
    authTime >= authenticatedSince - clockToleranceSeconds &&
    authTime <= nowSeconds + clockToleranceSeconds;
  return isRecent ? undefined : "auth_time";
}
