// Does a cached sign-in answer this call? Changes when a call can ask for something new.

import type { LatchkeyEvents } from "../core/events.ts";
import { defaultMinValiditySeconds } from "../core/limits.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { isFresh } from "../record/fresh.ts";
import type { AccessTokenRecord, SessionRecord } from "../record/format.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";
import { isSignedIn } from "./record-repository.ts";
import { tokensVersionOf } from "./version.ts";
import { markOf, otherTokenOf, shortfallOf, wishOf, type Configured, type Wish } from "./wish.ts";

/** A call of `getToken`, with every default filled in. */
export interface Wanted extends Wish {
  readonly tokenKind: "access_token" | "id_token";
  readonly minValiditySeconds: number;
  readonly rejectedToken: string | undefined;
  readonly interactive: boolean;
  /** Only a record whose tokens changed since this version of them was read (`forceRefresh`); null: any. */
  readonly changedSince: { tokensVersion: string | undefined } | null;
  /** The tokens that were stored when the call began: others are news, whoever brought them. */
  readonly seenTokensVersion?: string | undefined;
  /** `forceRefresh`: what another call's work brought counts only as long as it is stored. */
  readonly isForced?: boolean;
  /** The same for another access token than the configuration's: the one that no longer counts. */
  readonly otherThan?: string;
  /** Only a sign-in that a person finished after this time (`forceLogin`, `login`), in milliseconds. */
  readonly signedInSince: number | null;
  /** A result that could not be kept is a failure (`login`). */
  readonly mustBeKept: boolean;
  /** Nobody waits for this: nothing is shown of it, and it waits for nobody (renewal ahead). */
  readonly quiet?: boolean;
}

/** What the options of the credential say about every call. */
export interface Bound {
  readonly key: string;
  readonly issuer: string;
  readonly clientId: string;
  /** What the configuration asks for by itself; a call that asks for the same asks for nothing beyond it. */
  readonly configured?: Configured;
  /** The configuration names an account (`loginHint`): nobody else's sign-in takes the place of what is cached. */
  readonly isOneAccount?: boolean;
}

/** Fills in the defaults of a call. */
export function wantedOf(
  options: GetTokenOptions,
  context: {
    personPresent: boolean;
    signedInSince: number | null;
    cached: SessionRecord | undefined;
  },
): Wanted {
  const seenTokensVersion = context.cached && tokensVersionOf(context.cached);
  return {
    tokenKind: options.tokenKind ?? "access_token",
    minValiditySeconds: options.minValiditySeconds ?? defaultMinValiditySeconds,
    rejectedToken: options.rejectedToken,
    interactive: (options.interactive ?? true) && context.personPresent,
    changedSince: options.forceRefresh === true ? { tokensVersion: seenTokensVersion } : null,
    seenTokensVersion,
    isForced: options.forceRefresh === true,
    signedInSince: context.signedInSince,
    mustBeKept: false,
  };
}

/** The same with what the call wants beyond the configuration. */
export function withWish(
  wanted: Wanted,
  options: GetTokenOptions,
  context: {
    configured: Configured | undefined;
    cached: SessionRecord | undefined;
    /** Milliseconds since the epoch. */
    now: number;
  },
): Wanted {
  const { configured, cached, now } = context;
  const wish = wishOf(options, configured, now / 1000);
  const { target } = wish;
  // OpenID Connect Core section 3.1.2.1: "max_age=0" is a new authentication, which no tolerance of clocks makes up for.
  const signedInSince =
    options.maxAgeSeconds === 0
      ? Math.max(wanted.signedInSince ?? 0, now, cached?.signedInAt ?? 0)
      : wanted.signedInSince;
  if (target === undefined || wanted.changedSince === null) {
    return { ...wanted, ...wish, signedInSince };
  }
  const otherThan = markOf(cached && otherTokenOf(cached, target));
  return { ...wanted, ...wish, signedInSince, changedSince: null, otherThan };
}

function tokenOf(record: SessionRecord, wanted: Wanted): AccessTokenRecord | undefined {
  const { target, otherThan } = wanted;
  if (target !== undefined) {
    const other = otherTokenOf(record, target);
    return markOf(other) === otherThan ? undefined : other;
  }
  if (wanted.tokenKind === "access_token") return record.accessToken ?? undefined;
  if (record.idToken === undefined) return undefined;
  const times = idTokenTimes(record.idToken);
  return times && { token: record.idToken, tokenType: "Bearer", scopes: [], ...times };
}

/** True for the record of these very options: a file edited by hand or a hash that collides is a miss (C16). */
export function belongsTo(record: SessionRecord, bound: Bound): boolean {
  return (
    record.key === bound.key &&
    (bound.issuer === "" || record.issuer === bound.issuer) &&
    (bound.clientId === "" || record.clientId === bound.clientId)
  );
}

/** True where who signed in, when and how is what the call wants, whatever its tokens are. */
function isSignInFor(
  record: SessionRecord,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): boolean {
  if (!belongsTo(record, bound)) return false;
  if (wanted.signedInSince !== null && record.signedInAt <= wanted.signedInSince) return false;
  const { stepUp } = wanted;
  return stepUp === undefined || shortfallOf(record, stepUp, nowSeconds) === undefined;
}

/** True where a refresh can bring what the call wants: it changes neither who signed in nor how, nor when. */
export function mayRefresh(
  record: SessionRecord | undefined,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): record is SessionRecord & { refreshToken: string } {
  return record?.refreshToken !== undefined && isSignInFor(record, wanted, bound, nowSeconds);
}

/**
 * True where new tokens came without the ID token that the call wants: a refresh need not bring one (OpenID Connect Core
 * section 12.2), and a provider of plain OAuth 2.0 has none. A moment's validity is enough for one that came.
 */
export function lacksIdToken(record: SessionRecord, wanted: Wanted, nowSeconds: number): boolean {
  if (wanted.tokenKind !== "id_token") return false;
  const idToken = tokenOf(record, wanted);
  return (
    idToken === undefined ||
    idToken.token === wanted.rejectedToken ||
    Number(idToken.expiresAt) <= nowSeconds
  );
}

/**
 * True where a person would be asked for an ID token in vain: the sign-in lives and brought none, as every one at a
 * provider of plain OAuth 2.0.
 */
export function isWithoutIdTokens(record: SessionRecord | undefined, wanted: Wanted): boolean {
  const { tokenKind, interactive, signedInSince, stepUp } = wanted;
  if (tokenKind !== "id_token" || !interactive) return false;
  if (signedInSince !== null || stepUp !== undefined || record === undefined) return false;
  return isSignedIn(record) && record.ended === undefined && record.idToken === undefined;
}

/**
 * True where the work that this call waited for has brought new tokens since the call began: what they lack in validity, or
 * that the provider gave the rejected one once more, a further request would not mend.
 */
export function isOutcomeFor(
  record: SessionRecord,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): boolean {
  return (
    isSignInFor(record, wanted, bound, nowSeconds) &&
    tokensVersionOf(record) !== wanted.seenTokensVersion &&
    tokenOf(record, wanted) !== undefined &&
    !lacksIdToken(record, wanted, nowSeconds)
  );
}

/** Why a stored record is no answer to a call, for the log. */
export function whyNotSatisfying(
  record: SessionRecord | undefined,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): LatchkeyEvents["cache.miss"]["why"] {
  if (record === undefined || !isSignedIn(record)) return "absent";
  const token = isSignInFor(record, wanted, bound, nowSeconds)
    ? tokenOf(record, wanted)
    : undefined;
  const isOther =
    token === undefined ||
    token.token === wanted.rejectedToken ||
    wanted.changedSince?.tokensVersion === tokensVersionOf(record);
  return isOther ? "not_satisfying" : "expired";
}

/** The record, where it holds the token that the call wants, good for as long as it wants. */
export function satisfying(
  record: SessionRecord | undefined,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): SessionRecord | undefined {
  if (record === undefined || !isSignInFor(record, wanted, bound, nowSeconds)) return undefined;
  if (
    wanted.changedSince !== null &&
    tokensVersionOf(record) === wanted.changedSince.tokensVersion
  ) {
    return undefined;
  }
  const token = tokenOf(record, wanted);
  return token !== undefined &&
    token.token !== wanted.rejectedToken &&
    isFresh(token, wanted.minValiditySeconds, nowSeconds)
    ? record
    : undefined;
}
