// Does a cached sign-in answer a call? Changes when what a call asks is judged in another way.

import type { LatchkeyEvents } from "../core/events.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";
import { isFresh } from "../record/fresh.ts";
import type { AccessTokenRecord, SessionRecord } from "../record/format.ts";
import type { SessionConfig, TokenCriteria } from "./criteria.ts";
import { isSignedIn } from "./record-repository.ts";
import { tokensVersionOf } from "../record/version.ts";
import { markOf, otherTokenOf, unmetStepUpOf } from "./token-variant.ts";

function tokenOf(record: SessionRecord, criteria: TokenCriteria): AccessTokenRecord | undefined {
  const { target, otherThan } = criteria;
  if (target !== undefined) {
    const other = otherTokenOf(record, target);
    return markOf(other) === otherThan ? undefined : other;
  }
  if (criteria.tokenKind === "access_token") return record.accessToken ?? undefined;
  if (record.idToken === undefined) return undefined;
  const times = idTokenTimes(record.idToken);
  return times && { token: record.idToken, tokenType: "Bearer", scopes: [], ...times };
}

/** True for the record of these very options: a file edited by hand or a hash that collides is a miss (C16). */
export function belongsTo(record: SessionRecord, config: SessionConfig): boolean {
  return (
    record.key === config.key &&
    (config.issuer === "" || record.issuer === config.issuer) &&
    (config.clientId === "" || record.clientId === config.clientId)
  );
}

/** True where who signed in, when and how is what the call wants, whatever its tokens are. */
function isSignInFor(
  record: SessionRecord,
  criteria: TokenCriteria,
  config: SessionConfig,
  nowSeconds: number,
): boolean {
  if (!belongsTo(record, config)) return false;
  if (criteria.signedInSince !== null && record.signedInAt <= criteria.signedInSince) return false;
  const { stepUp } = criteria;
  return stepUp === undefined || unmetStepUpOf(record, stepUp, nowSeconds) === undefined;
}

/** True where a refresh can bring what the call wants: it changes neither who signed in nor how, nor when. */
export function mayRefresh(
  record: SessionRecord | undefined,
  criteria: TokenCriteria,
  config: SessionConfig,
  nowSeconds: number,
): record is SessionRecord & { refreshToken: string } {
  return record?.refreshToken !== undefined && isSignInFor(record, criteria, config, nowSeconds);
}

/**
 * True where new tokens came without the ID token that the call wants: a refresh need not bring one (OpenID Connect Core
 * section 12.2), and a provider of plain OAuth 2.0 has none. A moment's validity is enough for one that came.
 */
export function lacksIdToken(
  record: SessionRecord,
  criteria: TokenCriteria,
  nowSeconds: number,
): boolean {
  if (criteria.tokenKind !== "id_token") return false;
  const idToken = tokenOf(record, criteria);
  return (
    idToken === undefined ||
    idToken.token === criteria.rejectedToken ||
    Number(idToken.expiresAt) <= nowSeconds
  );
}

/**
 * True where a person would be asked for an ID token in vain: the sign-in lives and brought none, as every one at a
 * provider of plain OAuth 2.0.
 */
export function isWithoutIdTokens(
  record: SessionRecord | undefined,
  criteria: TokenCriteria,
): boolean {
  const { tokenKind, interactive, signedInSince, stepUp } = criteria;
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
  criteria: TokenCriteria,
  config: SessionConfig,
  nowSeconds: number,
): boolean {
  return (
    isSignInFor(record, criteria, config, nowSeconds) &&
    tokensVersionOf(record) !== criteria.seenTokensVersion &&
    tokenOf(record, criteria) !== undefined &&
    !lacksIdToken(record, criteria, nowSeconds)
  );
}

/** Why a stored record is no answer to a call, for the log. */
export function whyNoMatch(
  record: SessionRecord | undefined,
  criteria: TokenCriteria,
  config: SessionConfig,
  nowSeconds: number,
): LatchkeyEvents["cache.miss"]["why"] {
  if (record === undefined || !isSignedIn(record)) return "absent";
  const token = isSignInFor(record, criteria, config, nowSeconds)
    ? tokenOf(record, criteria)
    : undefined;
  const isOther =
    token === undefined ||
    token.token === criteria.rejectedToken ||
    criteria.changedSince?.tokensVersion === tokensVersionOf(record);
  return isOther ? "not_satisfying" : "expired";
}

/** The record, where it holds the token that the call wants, good for as long as it wants. */
export function matchRecord(
  record: SessionRecord | undefined,
  criteria: TokenCriteria,
  config: SessionConfig,
  nowSeconds: number,
): SessionRecord | undefined {
  if (record === undefined || !isSignInFor(record, criteria, config, nowSeconds)) return undefined;
  if (
    criteria.changedSince !== null &&
    tokensVersionOf(record) === criteria.changedSince.tokensVersion
  ) {
    return undefined;
  }
  const token = tokenOf(record, criteria);
  return token !== undefined &&
    token.token !== criteria.rejectedToken &&
    isFresh(token, criteria.minValiditySeconds, nowSeconds)
    ? record
    : undefined;
}
