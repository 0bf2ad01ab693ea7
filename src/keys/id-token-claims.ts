// What an ID token must say, as a check without side effects. Its signature has been judged before.

import { createHash, timingSafeEqual } from "node:crypto";
import { clockToleranceSeconds } from "../core/limits.ts";
import type { IdTokenClaims } from "../core/types.ts";
import { digestOf } from "./algorithms.ts";
import { isAudience, isExpiry, isInstant } from "./claim-forms.ts";

/** Longest `sub` (OpenID Connect Core section 2), in characters. */
export const maxSubjectCharacters = 255;

/** Claims of the sign-in's ID token, with which every later one must agree. */
export type PreviousClaims = Readonly<
  Partial<Pick<IdTokenClaims, "iss" | "sub" | "aud">> & { nonce?: unknown }
>;

/** When the person must have authenticated at the provider, where the request asked for it (`max_age`). */
export interface AuthenticationTime {
  /** Seconds since the epoch: this or later. Undefined: it does not matter. */
  readonly authenticatedSince?: number | undefined;
}

/**
 * How a token was come by. "login": a nonce must be there exactly if one was sent. "device": none could be sent, so none
 * is looked at (RFC 8628 has no such parameter). "refresh": it must agree with the sign-in's ID token (OpenID Connect
 * Core section 12.2).
 */
export type Occasion =
  | ({ readonly kind: "login"; readonly nonce: string | undefined } & AuthenticationTime)
  | ({ readonly kind: "device" } & AuthenticationTime)
  | { readonly kind: "refresh"; readonly previous: PreviousClaims | undefined };

/** What the claims must agree with. */
export interface ExpectedClaims {
  readonly issuer: string;
  readonly clientId: string;
  /** With which the token is signed: it decides the digest of `at_hash` and `c_hash`. */
  readonly algorithm: string;
  /** What the token came with. */
  readonly accessToken: string;
  readonly code?: string | undefined;
  readonly occasion: Occasion;
}

/** What is wrong with the claims. */
export type ClaimProblem =
  | "issuer"
  | "audience"
  /** A time is missing, or is not one. */
  | "time_malformed"
  /** The times are well-formed, and now is not within them. */
  | "untimely"
  | "subject_missing"
  | "subject_kind"
  | "subject_length"
  | "another_subject"
  | "nonce"
  | "nonce_missing"
  | "access_token_hash"
  | "code_hash"
  | "authentication_time"
  | "authentication_time_kind";

type Claims = Readonly<Record<string, unknown>>;

/** Claims, or the first thing that is wrong with them. */
export type CheckedClaims = { readonly claims: IdTokenClaims } | { readonly problem: ClaimProblem };

/** Claims whose form alone is wrong. */
function malformed({ aud, exp, iat, nbf, sub }: Claims): ClaimProblem | undefined {
  if (!isAudience(aud)) return "audience";
  if (!isExpiry(exp) || !isInstant(iat)) return "time_malformed";
  if (nbf !== undefined && !isInstant(nbf)) return "time_malformed";
  if (sub === undefined || sub === null || sub === "") return "subject_missing";
  if (typeof sub !== "string") return "subject_kind";
  return sub.length > maxSubjectCharacters ? "subject_length" : undefined;
}

function isNow({ exp, nbf }: Claims, nowSeconds: number): boolean {
  const now = Math.floor(nowSeconds);
  if (Number(exp) <= now - clockToleranceSeconds) return false;
  return nbf === undefined || Number(nbf) <= now + clockToleranceSeconds;
}

/** OpenID Connect Core section 3.1.3.7(3-5): several audiences only where the token was made for us. */
function isForClient({ aud, azp }: Claims, clientId: string): boolean {
  if (!Array.isArray(aud)) return aud === clientId;
  return aud.includes(clientId) && (aud.length === 1 || azp === clientId);
}

/** OpenID Connect Core section 3.1.3.7(11). */
function nonceProblem({ nonce }: Claims, occasion: Occasion): ClaimProblem | undefined {
  if (occasion.kind !== "login" || nonce === occasion.nonce) return undefined;
  return nonce === undefined ? "nonce_missing" : "nonce";
}

/**
 * True where a hash claim is absent or right: the left half of the digest that belongs to the algorithm.
 * @see OpenID Connect Core sections 3.1.3.6 and 3.3.2.11
 */
function isHashOf(value: string | undefined, claim: unknown, algorithm: string): boolean {
  if (claim === undefined) return true;
  if (typeof claim !== "string" || value === undefined) return false;
  const digest = createHash(digestOf(algorithm)).update(value, "ascii").digest();
  const expected = digest.subarray(0, digest.length / 2);
  const actual = Buffer.from(claim, "base64url");
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/**
 * `auth_time` as the number that it is to be (OpenID Connect Core section 2). Numeric text is one to CILogon; whatever
 * else stands there is as good as absent, because only `max_age` needs it.
 */
function authTimeOf({ auth_time: value }: Claims): number | undefined {
  const time = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return isInstant(time) ? time : undefined;
}

/**
 * OpenID Connect Core section 3.1.2.1: "When max_age is used, the ID Token returned MUST include an auth_time Claim
 * Value". It counts from the request, as the provider counts it: somebody who reads the consent page for minutes has
 * not signed in too early. A time in the future would be recent for ever.
 */
export function authenticationProblem(
  claims: Claims,
  authenticatedSince: number | undefined,
  nowSeconds: number,
): ClaimProblem | undefined {
  if (authenticatedSince === undefined) return undefined;
  const authTime = authTimeOf(claims);
  if (authTime === undefined) {
    const isAbsent = (claims["auth_time"] ?? undefined) === undefined;
    return isAbsent ? "authentication_time" : "authentication_time_kind";
  }
  const isRecent =
    authTime >= authenticatedSince - clockToleranceSeconds &&
    authTime <= nowSeconds + clockToleranceSeconds;
  return isRecent ? undefined : "authentication_time";
}

function isSameAudience(one: unknown, other: unknown): boolean {
  const [these, those] = [new Set([one].flat()), new Set([other].flat())];
  return these.size === those.size && [...these].every((audience) => those.has(audience));
}

/**
 * OpenID Connect Core section 12.2: the ID token of a refresh is about the same sign-in. A later `auth_time` than before
 * is not wrong here: providers move it when the person's session with them is renewed elsewhere, and whoever asks for
 * `max_age` is judged by the sign-in's own (https://github.com/spring-projects/spring-security/issues/18839,
 * https://github.com/authts/oidc-client-ts/issues/2107).
 */
function otherSignIn(claims: Claims, previous: PreviousClaims): ClaimProblem | undefined {
  if (previous.sub !== undefined && claims["sub"] !== previous.sub) return "another_subject";
  if (previous.iss !== undefined && claims["iss"] !== previous.iss) return "issuer";
  if (previous.aud !== undefined && !isSameAudience(claims["aud"], previous.aud)) return "audience";
  const { nonce } = claims;
  const isOther = previous.nonce !== undefined && nonce !== undefined && nonce !== previous.nonce;
  return isOther ? "nonce" : undefined;
}

/**
 * Checks every claim of an ID token whose signature has been judged.
 * @see OpenID Connect Core 1.0 sections 2, 3.1.3.7 and 12.2
 */
export function checkIdTokenClaims(
  payload: Claims,
  expected: ExpectedClaims,
  nowSeconds: number,
): CheckedClaims {
  const { issuer, clientId, algorithm, accessToken, code, occasion } = expected;
  const problem = ((): ClaimProblem | undefined => {
    if (payload["iss"] !== issuer) return "issuer";
    const form = malformed(payload);
    if (form !== undefined) return form;
    if (!isNow(payload, nowSeconds)) return "untimely";
    if (!isForClient(payload, clientId)) return "audience";
    const nonce = nonceProblem(payload, occasion);
    if (nonce !== undefined) return nonce;
    // Core section 3.1.3.7(10): "The iat Claim can be used to reject tokens that were issued too far away from the
    // current time". From the future is too far.
    if (Number(payload["iat"]) > nowSeconds + clockToleranceSeconds) return "untimely";
    if (!isHashOf(accessToken, payload["at_hash"], algorithm)) return "access_token_hash";
    if (!isHashOf(code, payload["c_hash"], algorithm)) return "code_hash";
    if (occasion.kind !== "refresh") {
      return authenticationProblem(payload, occasion.authenticatedSince, nowSeconds);
    }
    return occasion.previous && otherSignIn(payload, occasion.previous);
  })();
  if (problem !== undefined) return { problem };
  const { auth_time: _asSent, ...rest } = payload;
  const authTime = authTimeOf(payload);
  const claims = { ...rest, ...(authTime === undefined ? {} : { auth_time: authTime }) };
  return { claims: claims as IdTokenClaims };
}
