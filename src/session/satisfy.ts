// Does a cached sign-in answer this call? Changes when a call can ask for something new.

import type { GetTokenOptions } from "../core/types.ts";
import { isFresh } from "../record/fresh.ts";
import type { AccessTokenRecord, SessionRecord } from "../record/format.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";

/** A call of `getToken`, with every default filled in. */
export interface Wanted {
  readonly tokenKind: "access_token" | "id_token";
  readonly minValiditySeconds: number;
  readonly rejectedToken: string | undefined;
  readonly interactive: boolean;
  /** Only a record that changed since this version was read (`forceRefresh`); null: any. */
  readonly changedSince: { version: string | undefined } | null;
  /** Only a sign-in that a person finished after this time (`forceLogin`, `login`), in milliseconds. */
  readonly signedInSince: number | null;
  /** A result that could not be kept is a failure (`login`). */
  readonly mustBeKept: boolean;
}

/** What the options of the credential say about every call. */
export interface Bound {
  readonly key: string;
  readonly issuer: string;
  readonly clientId: string;
}

/** Fills in the defaults of a call. */
export function wantedOf(
  options: GetTokenOptions,
  context: { personPresent: boolean; signedInSince: number | null; version: string | undefined },
): Wanted {
  return {
    tokenKind: options.tokenKind ?? "access_token",
    minValiditySeconds: options.minValiditySeconds ?? 60,
    rejectedToken: options.rejectedToken,
    interactive: (options.interactive ?? true) && context.personPresent,
    changedSince: options.forceRefresh === true ? { version: context.version } : null,
    signedInSince: context.signedInSince,
    mustBeKept: false,
  };
}

function tokenOf(record: SessionRecord, wanted: Wanted): AccessTokenRecord | undefined {
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

/** The record, where it holds the token that the call wants, good for as long as it wants. */
export function satisfying(
  record: SessionRecord | undefined,
  wanted: Wanted,
  bound: Bound,
  nowSeconds: number,
): SessionRecord | undefined {
  if (record === undefined || !belongsTo(record, bound)) return undefined;
  if (wanted.signedInSince !== null && record.signedInAt <= wanted.signedInSince) return undefined;
  if (wanted.changedSince !== null && record.version === wanted.changedSince.version) {
    return undefined;
  }
  const token = tokenOf(record, wanted);
  return token !== undefined &&
    token.token !== wanted.rejectedToken &&
    isFresh(token, wanted.minValiditySeconds, nowSeconds)
    ? record
    : undefined;
}
