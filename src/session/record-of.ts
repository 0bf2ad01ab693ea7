// From a provider's answer to the record that is kept. Changes when the record keeps something else.

import { sanitizeProviderText } from "../core/errors.ts";
import type { IdTokenClaims } from "../core/types.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type {
  AccessTokenRecord,
  OtherAccessTokenRecord,
  SessionRecord,
  SignInEnd,
} from "../record/format.ts";
import type { SignedIn } from "./flows.ts";
import { personName } from "./person-name.ts";
import { nextPartVersion, nextTokensVersion } from "../record/version.ts";
import { otherTokensWith } from "./token-variant.ts";
import type { TokenTarget } from "../record/format.ts";

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
  /** The host, as far as one lock reaches. */
  readonly host: string;
}

const maxAcr = 1000;

function identityOf(
  claims: IdTokenClaims | undefined,
  previous?: SessionRecord,
): Partial<SessionRecord> {
  if (claims === undefined) return {};
  const { acr, auth_time: authTime } = claims;
  return {
    subject: claims.sub,
    // A refresh's ID token may name nobody; what the userinfo endpoint said at the sign-in counts on.
    displayName: personName(claims, previous?.displayName),
    // A refresh's ID token may leave them out; the person has signed in as they did all the same.
    ...(typeof acr === "string" ? { acr: sanitizeProviderText(acr, maxAcr) } : {}),
    ...(typeof authTime === "number" ? { authTime } : {}),
  };
}

function definedOnly<Value extends object>(value: Value): Value {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as Value;
}

function accessTokenIn(answer: TokenAnswer): AccessTokenRecord {
  return {
    token: answer.accessToken,
    tokenType: answer.tokenType,
    scopes: [...answer.scopes],
    issuedAt: answer.issuedAt,
    expiresAt: answer.expiresAt,
  };
}

function endpointsIn(answer: TokenAnswer): Record<string, string | undefined> {
  return {
    tokenEndpoint: answer.tokenEndpoint,
    userinfoEndpoint: answer.userinfoEndpoint,
    revocationEndpoint: answer.revocationEndpoint,
    endSessionEndpoint: answer.endSessionEndpoint,
    trustedRoots: answer.trustedRoots,
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
export function recordOfSignIn(answer: SignedIn, context: AnswerContext): SessionRecord {
  return definedOnly({
    key: context.key,
    version: nextTokensVersion(context.previous, context.newRecordId),
    issuer: answer.issuer,
    clientId: context.clientId,
    server: answer.server,
    registered: answer.registered,
    ...endpointsIn(answer),
    authenticationMethod: answer.authenticationMethod,
    accessToken: accessTokenIn(answer),
    refreshToken: answer.refreshToken ?? keptRefreshToken(answer, context),
    idToken: answer.idToken,
    ...identityOf(answer.claims),
    signedInAt: context.now,
    renewedAt: context.now,
    renewedOn: context.host,
  }) as SessionRecord;
}

/**
 * What every refresh changes. RFC 6749 section 6: "the authorization server MAY issue a new refresh token" - where it
 * did not, the old one stays (R09).
 */
function renewed(
  answer: TokenAnswer,
  previous: SessionRecord,
  context: AnswerContext,
  other?: OtherAccessTokenRecord,
): Omit<SessionRecord, "version"> {
  const { intent: _answered, ended: _renewedAfterAll, otherAccessTokens, ...kept } = previous;
  // Other roots vouched for another document, so what the former one named is forgotten.
  const isVouchedAnew =
    answer.trustedRoots !== undefined && answer.trustedRoots !== previous.trustedRoots;
  return definedOnly({
    ...kept,
    ...(isVouchedAnew ? endpointsIn(answer) : {}),
    ...otherTokensWith(otherAccessTokens, other, context.now / 1000),
    authenticationMethod: answer.authenticationMethod,
    ...(answer.refreshToken === undefined ? {} : { refreshToken: answer.refreshToken }),
    renewedAt: context.now,
    renewedOn: context.host,
  });
}

/**
 * A refresh is no authentication: where its ID token tells a later time than the sign-in's, the session with the provider
 * was renewed elsewhere, by whomever, and `maxAgeSeconds` goes by the earlier one.
 */
function earlierAuthTime(
  { claims }: TokenAnswer,
  { authTime }: SessionRecord,
): Pick<SessionRecord, "authTime"> {
  const now = claims?.["auth_time"];
  if (authTime === undefined || typeof now !== "number") return {};
  return { authTime: Math.min(authTime, now) };
}

/** The record after a refresh; the ID token stays where the answer brings none (R09). */
export function recordOfRefresh(
  answer: TokenAnswer,
  previous: SessionRecord,
  context: AnswerContext,
): SessionRecord {
  return {
    ...renewed(answer, previous, context),
    version: nextTokensVersion(previous, context.newRecordId),
    accessToken: accessTokenIn(answer),
    ...(answer.idToken === undefined ? {} : { idToken: answer.idToken }),
    ...identityOf(answer.claims, previous),
    ...earlierAuthTime(answer, previous),
  };
}

/**
 * The record with a further access token, the configuration's own as it was. The answer's ID token has been checked and
 * is not kept: it is made for the narrower scopes, and tells less of the person.
 */
export function recordWithOtherToken(
  answer: TokenAnswer,
  previous: SessionRecord,
  target: TokenTarget,
  context: AnswerContext,
): SessionRecord {
  const other = { ...accessTokenIn(answer), wanted: target };
  return {
    ...renewed(answer, previous, context, other),
    version: nextPartVersion(previous, context.newRecordId),
  };
}

/** The record of a sign-in whose own access token is the one for the target, since it covers the wanted scopes. */
export function recordWithOwnTokenAs(
  target: TokenTarget,
  previous: SessionRecord,
  context: AnswerContext,
): SessionRecord {
  const { accessToken, otherAccessTokens, ...kept } = previous;
  const other = accessToken === null ? undefined : { ...accessToken, wanted: target };
  return {
    ...kept,
    accessToken,
    ...otherTokensWith(otherAccessTokens, other, context.now / 1000),
    version: nextPartVersion(previous, context.newRecordId),
  };
}

/** The record of a client's own token: nobody signed in, so what there is for other targets stays. */
export function recordOfClientToken(
  answer: SignedIn,
  target: TokenTarget | undefined,
  context: AnswerContext,
): SessionRecord {
  const { previous, now } = context;
  const signedIn = recordOfSignIn(answer, context);
  if (target === undefined) {
    const others = otherTokensWith(previous?.otherAccessTokens, undefined, now / 1000);
    return { ...signedIn, ...others };
  }
  if (previous !== undefined && previous.signedInAt > 0) {
    return recordWithOtherToken(answer, previous, target, context);
  }
  const other = { ...accessTokenIn(answer), wanted: target };
  return { ...signedIn, accessToken: null, ...otherTokensWith([], other, now / 1000) };
}

/** The record without the refresh token that the provider refused; an access token that is still good stays. */
export function recordWithoutRefreshToken(
  previous: SessionRecord,
  ended: SignInEnd,
  newRecordId: () => string,
): SessionRecord {
  const { refreshToken: _refused, intent: _answered, ...rest } = previous;
  return { ...rest, ended, version: nextPartVersion(previous, newRecordId) };
}
