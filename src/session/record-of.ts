// From a provider's answer to the record that is kept. Changes when the record keeps something else.

import { sanitizeProviderText } from "../core/errors.ts";
import type { IdTokenClaims } from "../core/types.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { SessionRecord } from "../record/format.ts";

/** The circumstances of an answer. */
export interface AnswerContext {
  readonly key: string;
  readonly clientId: string;
  /** The record before: undefined for a first sign-in. */
  readonly previous: SessionRecord | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A new record id, used where there is no record yet. */
  readonly newRecordId: () => string;
}

/** A version is a random record id and a counter: a bare counter would repeat after logout and login. */
function nextVersion(previous: SessionRecord | undefined, newRecordId: () => string): string {
  const [id, counter] = previous?.version.split(".") ?? [];
  return id === undefined ? `${newRecordId()}.1` : `${id}.${String(Number(counter) + 1)}`;
}

function displayNameOf(claims: IdTokenClaims): string {
  const named = [claims["email"], claims["preferred_username"], claims["name"]].find(
    (value): value is string => typeof value === "string" && value.trim() !== "",
  );
  return sanitizeProviderText(named ?? claims.sub, 100);
}

function identityOf(claims: IdTokenClaims | undefined): Partial<SessionRecord> {
  return claims === undefined ? {} : { subject: claims.sub, displayName: displayNameOf(claims) };
}

function definedOnly<Value extends object>(value: Value): Value {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as Value;
}

function tokensOf(answer: TokenAnswer): Pick<SessionRecord, "accessToken"> {
  return {
    accessToken: {
      token: answer.accessToken,
      tokenType: answer.tokenType,
      scopes: [...answer.scopes],
      issuedAt: answer.issuedAt,
      expiresAt: answer.expiresAt,
    },
  };
}

// Some providers give a refresh token at the first consent only; a later sign-in of the same person must not lose it.
function keptRefreshToken(answer: TokenAnswer, context: AnswerContext): string | undefined {
  const { previous } = context;
  if (previous === undefined) return undefined;
  const samePerson =
    answer.claims !== undefined &&
    answer.claims.sub === previous.subject &&
    answer.issuer === previous.issuer &&
    context.clientId === previous.clientId;
  return samePerson ? previous.refreshToken : undefined;
}

/** The record of a new sign-in. */
export function recordOfSignIn(answer: TokenAnswer, context: AnswerContext): SessionRecord {
  return definedOnly({
    key: context.key,
    version: nextVersion(context.previous, context.newRecordId),
    issuer: answer.issuer,
    clientId: context.clientId,
    tokenEndpoint: answer.tokenEndpoint,
    userinfoEndpoint: answer.userinfoEndpoint,
    revocationEndpoint: answer.revocationEndpoint,
    endSessionEndpoint: answer.endSessionEndpoint,
    authenticationMethod: answer.authenticationMethod,
    ...tokensOf(answer),
    refreshToken: answer.refreshToken ?? keptRefreshToken(answer, context),
    idToken: answer.idToken,
    ...identityOf(answer.claims),
    signedInAt: context.now,
    renewedAt: context.now,
  }) as SessionRecord;
}

/**
 * The record after a refresh. RFC 6749 section 6: "the authorization server MAY issue a new refresh token" - where it
 * did not, the old one stays, and so does the ID token (R09).
 */
export function recordOfRefresh(
  answer: TokenAnswer,
  previous: SessionRecord,
  context: AnswerContext,
): SessionRecord {
  return {
    ...previous,
    version: nextVersion(previous, context.newRecordId),
    authenticationMethod: answer.authenticationMethod,
    ...tokensOf(answer),
    ...(answer.refreshToken === undefined ? {} : { refreshToken: answer.refreshToken }),
    ...(answer.idToken === undefined ? {} : { idToken: answer.idToken }),
    ...identityOf(answer.claims),
    renewedAt: context.now,
  };
}

/** The record without the refresh token that the provider refused; an access token that is still good stays. */
export function recordWithoutRefreshToken(
  previous: SessionRecord,
  newRecordId: () => string,
): SessionRecord {
  const { refreshToken: _refused, ...rest } = previous;
  return { ...rest, version: nextVersion(previous, newRecordId) };
}
