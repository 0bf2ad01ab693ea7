// Verifies ID tokens: signature, then claims. Changes when OpenID Connect asks more of an ID token.

import { createHash, timingSafeEqual } from "node:crypto";
import * as oauth from "oauth4webapi";
import type { Clock } from "../core/clock.ts";
import { OidcError, type Reason, sanitizeProviderText } from "../core/errors.ts";
import { addressToShow } from "../core/hosts.ts";
import { clockToleranceSeconds, longestInstantSeconds } from "../core/limits.ts";
import type { Secret } from "../core/secret.ts";
import type { IdTokenClaims } from "../core/types.ts";
import { counted } from "../core/words.ts";
import type { KeySource } from "./provider-types.ts";
import { expectedIdTokenIssuer } from "./quirks.ts";
import { withoutSecrets } from "./redaction.ts";
import { checkSignature } from "./signature.ts";
import type { SignatureProblem } from "./signature.ts";

const longestSubject = 255;

/** Claims of the sign-in's ID token, with which every later one must agree. */
export type PreviousClaims = Readonly<
  Partial<Pick<IdTokenClaims, "iss" | "sub" | "aud">> & { nonce?: unknown }
>;

/** When the person must have authenticated at the provider, where the request asked for it (`max_age`). */
export interface AuthenticationTime {
  /** Seconds since the epoch: this or later. Undefined: it does not matter. */
  readonly authenticatedSince?: number | undefined;
}

/** What an ID token must agree with. */
export interface IdTokenExpectation {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly keys: KeySource;
  readonly listedAlgorithms: readonly string[] | undefined;
  /** The answer that the token came with, for `at_hash` and `c_hash`. */
  readonly accessToken: string;
  readonly code?: string | undefined;
  /** Where it came from, for messages. */
  readonly host: string;
  /**
   * "login": a nonce must be there exactly if one was sent. "device": none could be sent, so none is looked at (RFC 8628
   * has no such parameter). "refresh": it must agree with the sign-in's ID token
   * (OpenID Connect Core section 12.2).
   */
  readonly occasion:
    | ({ readonly kind: "login"; readonly nonce: string | undefined } & AuthenticationTime)
    | ({ readonly kind: "device" } & AuthenticationTime)
    | { readonly kind: "refresh"; readonly previous: PreviousClaims | undefined };
  readonly signal?: AbortSignal | undefined;
}

/** A verified ID token. */
export interface VerifiedIdToken {
  readonly claims: IdTokenClaims;
  /** False where the provider has no known keys, so that only the claims were checked. */
  readonly signatureVerified: boolean;
}

type IdTokenReason = Reason<"id_token_invalid">;
type MoreExactly = "sub_kind" | "sub_length" | "nonce_missing" | "max_age_kind";

const explanations: Readonly<Record<IdTokenReason | MoreExactly, string>> = {
  id_token_alg:
    "it is not signed with an algorithm that is both safe and listed by the provider. Ask the provider's administrator which one this client is registered for",
  id_token_signature:
    "its signature does not match the provider's keys. Do not use this sign-in; tell the provider's administrator",
  id_token_iss: "its issuer is another one than `issuer`",
  id_token_aud: "it was not issued for this client. Check `clientId`",
  id_token_time:
    "it does not say when it was issued and when it ends. Ask the provider's administrator",
  id_token_sub: "it does not say who signed in. Ask the provider's administrator",
  sub_kind: "its sub, which says who signed in, is no text. Ask the provider's administrator",
  sub_length: `its sub, which says who signed in, is longer than ${longestSubject} characters. Ask the provider's administrator`,
  id_token_nonce:
    "it belongs to another sign-in. Sign in again; if it happens again, tell the provider's administrator",
  nonce_missing:
    "it has no nonce, though this sign-in sent one, so it cannot be told from one of another sign-in (some providers lose it at a consent page). Sign in again; if it happens again, tell the provider's administrator",
  id_token_auth_time:
    "it does not say that the person signed in as recently as `maxAge` asks. Sign in again; if it stays so, the provider does not heed max_age",
  max_age_kind:
    "its auth_time is not a number, so it does not say that the person signed in as recently as `maxAge` asks. Ask the provider's administrator, or leave `maxAge` unset",
  id_token_at_hash: "it was issued with another access token. Do not use this sign-in",
  id_token_c_hash: "it was issued for another authorization code. Do not use this sign-in",
  id_token_malformed:
    "it is no signed token of the usual form. Encrypted ID tokens are not supported",
  id_token_missing: "there is none, though openid was granted. Ask the provider's administrator",
  jwks_key_not_found:
    "the provider's key set has no key that fits it. Try again in a minute; if it stays so, tell the provider's administrator",
  jwks_ambiguous:
    "too many of the provider's keys could have signed it, and it does not say which. Tell the provider's administrator",
};

function unusable(reason: IdTokenReason, host: string, explanation: string): OidcError {
  return new OidcError(
    "id_token_invalid",
    `${host} answered without a usable ID token (token request): ${explanation}.`,
    { reason },
  );
}

/** An `id_token_invalid` with its stable reason. Neither the token nor its claims are in it. */
export function idTokenError(
  reason: IdTokenReason,
  host: string,
  detail = "",
  explained: IdTokenReason | MoreExactly = reason,
): OidcError {
  return unusable(reason, host, `${explanations[explained]}${detail}`);
}

function inWords(seconds: number): string {
  if (seconds < 120) return counted(Math.round(seconds), "second");
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}

/**
 * Well-formed times that are not now. Nearly always one of the two clocks is wrong, and by how much tells a person
 * which one: an hour is a time zone, a month a battery.
 */
function untimely(
  claims: Readonly<Record<string, unknown>>,
  clock: Clock,
  host: string,
): OidcError {
  const now = clock.now();
  const ageSeconds = now / 1000 - Number(claims["iat"]);
  const what =
    Math.abs(ageSeconds) <= clockToleranceSeconds
      ? "is not valid now"
      : ageSeconds > 0
        ? `was issued ${inWords(ageSeconds)} ago and has expired`
        : `was issued ${inWords(-ageSeconds)} in the future`;
  const time = new Date(now).toISOString().slice(0, 16).replace("T", " ");
  return unusable(
    "id_token_time",
    host,
    `by this machine's clock (${time} UTC) it ${what}. If that clock is wrong, set it and sign in again; if it is right, tell the provider's administrator`,
  );
}

const signatureReasons: Readonly<Record<SignatureProblem, IdTokenReason>> = {
  malformed: "id_token_malformed",
  alg: "id_token_alg",
  signature: "id_token_signature",
  jwks_key_not_found: "jwks_key_not_found",
  jwks_ambiguous: "jwks_ambiguous",
};

const claimReasons: Readonly<Record<string, IdTokenReason>> = {
  iss: "id_token_iss",
  aud: "id_token_aud",
  azp: "id_token_aud",
  exp: "id_token_time",
  iat: "id_token_time",
  nbf: "id_token_time",
  sub: "id_token_sub",
  nonce: "id_token_nonce",
};

function isAudience(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "string")
  );
}

function isInstant(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= longestInstantSeconds;
}

/** A claim whose form alone is wrong, and how its explanation is called where that is not its reason. */
interface MalformedClaim {
  readonly claim: string;
  readonly explained?: MoreExactly;
}

/** Claims whose form alone is wrong, in the order in which they are reported. */
function firstMalformedClaim(
  claims: Readonly<Record<string, unknown>>,
): MalformedClaim | undefined {
  const { iss, aud, exp, iat, nbf, sub } = claims;
  if (typeof iss !== "string") return { claim: "iss" };
  if (!isAudience(aud)) return { claim: "aud" };
  // JSON has no NaN, but 1e400 is read as Infinity: a token that never ends. One that ends when no date can be is used
  // for as long as any token at most.
  if (!Number.isFinite(exp) || Number(exp) < 0) return { claim: "exp" };
  if (!isInstant(iat)) return { claim: "iat" };
  if (nbf !== undefined && !isInstant(nbf)) return { claim: "nbf" };
  if (sub === undefined || sub === null || sub === "") return { claim: "sub" };
  if (typeof sub !== "string") return { claim: "sub", explained: "sub_kind" };
  return sub.length > longestSubject ? { claim: "sub", explained: "sub_length" } : undefined;
}

/**
 * `auth_time` as the number that it is to be (OpenID Connect Core section 2). Numeric text is one to CILogon; whatever
 * else stands there is as good as absent, because only `max_age` needs it.
 */
function authTimeOf(claims: Readonly<Record<string, unknown>>): number | undefined {
  const { auth_time: value } = claims;
  const time = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return isInstant(time) ? (time as number) : undefined;
}

/** Which claim oauth4webapi found wrong. Its messages are not read, only the data beside them. */
function claimOf(error: oauth.OperationProcessingError): string | undefined {
  const { cause } = error;
  if (typeof cause !== "object" || cause === null || !("claim" in cause)) return undefined;
  return typeof cause.claim === "string" ? cause.claim : undefined;
}

/** The token with these claims in it. Its signature has been judged, and is not looked at again. */
function tokenWith(claims: object, token: string): string {
  const [header = "", , signature = ""] = token.split(".");
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
}

/** The claim checks of OpenID Connect Core 3.1.3.7, which oauth4webapi knows. */
async function checkClaims(
  token: string,
  payload: Readonly<Record<string, unknown>>,
  algorithm: string,
  issuer: string,
  clock: Clock,
  expected: IdTokenExpectation,
): Promise<IdTokenClaims> {
  const server: oauth.AuthorizationServer = { issuer };
  const client: oauth.Client = {
    client_id: expected.clientId,
    id_token_signed_response_alg: algorithm,
    [oauth.clockSkew]: Math.floor(clock.now() / 1000) - Math.floor(Date.now() / 1000),
    [oauth.clockTolerance]: clockToleranceSeconds,
  };
  const response = Response.json({
    access_token: expected.accessToken,
    token_type: "bearer",
    id_token: token,
  });
  const { occasion } = expected;
  try {
    const result =
      occasion.kind === "login"
        ? await oauth.processAuthorizationCodeResponse(server, client, response, {
            expectedNonce: occasion.nonce ?? oauth.expectNoNonce,
            requireIdToken: true,
          })
        : occasion.kind === "device"
          ? await oauth.processDeviceCodeResponse(server, client, response)
          : await oauth.processRefreshTokenResponse(server, client, response);
    const claims = oauth.getValidatedIdTokenClaims(result);
    if (claims === undefined) throw idTokenError("id_token_missing", expected.host);
    return claims;
  } catch (error) {
    if (error instanceof oauth.OperationProcessingError) {
      const nonceMissing = occasion.kind === "login" && occasion.nonce !== undefined;
      const claim = claimOf(error) ?? (nonceMissing ? "nonce" : "");
      const reason = claimReasons[claim] ?? "id_token_malformed";
      if (reason === "id_token_time") throw untimely(payload, clock, expected.host);
      const isLost = reason === "id_token_nonce" && payload["nonce"] === undefined;
      throw idTokenError(reason, expected.host, "", isLost ? "nonce_missing" : reason);
    }
    throw error;
  }
}

const digests: Readonly<Record<string, string>> = {
  "256": "sha256",
  "384": "sha384",
  "512": "sha512",
};

/**
 * True where a hash claim is absent or right: the left half of the digest that belongs to the algorithm.
 * @see OpenID Connect Core sections 3.1.3.6 and 3.3.2.11
 */
function isHashOf(value: string | undefined, claim: unknown, algorithm: string): boolean {
  if (claim === undefined) return true;
  if (typeof claim !== "string" || value === undefined) return false;
  // Ed25519 signs with SHA-512 inside.
  const digest = createHash(digests[algorithm.slice(-3)] ?? "sha512")
    .update(value, "ascii")
    .digest();
  const expected = digest.subarray(0, digest.length / 2);
  const actual = Buffer.from(claim, "base64url");
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function sameAudience(one: string | string[], other: string | string[]): boolean {
  const [these, those] = [new Set([one].flat()), new Set([other].flat())];
  return these.size === those.size && [...these].every((audience) => those.has(audience));
}

/**
 * OpenID Connect Core section 12.2: the ID token of a refresh is about the same sign-in. A later `auth_time` than before
 * is none of its faults here: providers move it when the person's session with them is renewed elsewhere, and whoever
 * asks for `max_age` is judged by the sign-in's own (https://github.com/spring-projects/spring-security/issues/18839,
 * https://github.com/authts/oidc-client-ts/issues/2107).
 */
function assertSameSignIn(claims: IdTokenClaims, previous: PreviousClaims, host: string): void {
  if (previous.sub !== undefined && claims.sub !== previous.sub) {
    throw new OidcError(
      "subject_changed",
      `${host} renewed the sign-in for another person than the one who signed in (token request). The new tokens were thrown away; sign in again.`,
    );
  }
  const differs = (claim: "iss" | "nonce", mayBeAbsent: boolean): boolean =>
    previous[claim] !== undefined &&
    claims[claim] !== previous[claim] &&
    !(mayBeAbsent && claims[claim] === undefined);
  if (differs("iss", false)) throw idTokenError("id_token_iss", host);
  if (previous.aud !== undefined && !sameAudience(claims.aud, previous.aud)) {
    throw idTokenError("id_token_aud", host);
  }
  if (differs("nonce", true)) throw idTokenError("id_token_nonce", host);
}

/**
 * OpenID Connect Core section 3.1.2.1: "When max_age is used, the ID Token returned MUST include an auth_time Claim
 * Value". It counts from the request, as the provider counts it: somebody who reads the consent page for minutes has
 * not signed in too early. A time in the future would be recent for ever.
 */
export function assertRecentAuthentication(
  claims: Readonly<Record<string, unknown>> | undefined,
  authenticatedSince: number | undefined,
  clock: Clock,
  host: string,
): void {
  if (authenticatedSince === undefined) return;
  const authTime = authTimeOf(claims ?? {});
  const isKnown = (claims?.["auth_time"] ?? undefined) === undefined || authTime !== undefined;
  const isRecent =
    authTime !== undefined &&
    authTime >= authenticatedSince - clockToleranceSeconds &&
    authTime <= clock.now() / 1000 + clockToleranceSeconds;
  if (isRecent) return;
  throw idTokenError("id_token_auth_time", host, "", isKnown ? undefined : "max_age_kind");
}

/**
 * Verifies an ID token: form, algorithm and signature, then every claim. Where the provider has no known keys the claims
 * alone, which Core section 3.1.3.7(6) allows for a token that came straight from the token endpoint.
 * @throws {OidcError} `id_token_invalid` with a reason, `subject_changed`, and what fetching keys throws.
 * @see OpenID Connect Core 1.0 section 3.1.3.7
 */
export async function verifyIdToken(
  token: string,
  clock: Clock,
  expected: IdTokenExpectation,
): Promise<VerifiedIdToken> {
  const { host } = expected;
  const signature = await checkSignature(token, expected);
  if (!signature.accepted) throw idTokenError(signatureReasons[signature.problem], host);
  const { payload, algorithm } = signature;

  const malformed = firstMalformedClaim(payload);
  if (malformed !== undefined) {
    const reason = claimReasons[malformed.claim] ?? "id_token_malformed";
    throw idTokenError(reason, host, "", malformed.explained);
  }
  const issuer = expectedIdTokenIssuer(expected.issuer, payload);
  if (payload["iss"] !== issuer) {
    const { accessToken, code, clientSecret } = expected;
    const sent = [accessToken, code, clientSecret?.reveal()];
    const named = sanitizeProviderText(withoutSecrets(addressToShow(String(payload["iss"])), sent));
    throw idTokenError("id_token_iss", host, `: "${named}" instead of "${issuer}"`);
  }
  // JSON has no undefined: an `auth_time` that is none is left out.
  const usable = { ...payload, auth_time: authTimeOf(payload) };
  const claims = await checkClaims(
    tokenWith(usable, token),
    payload,
    algorithm,
    issuer,
    clock,
    expected,
  );

  // Core section 3.1.3.7(10): "The iat Claim can be used to reject tokens that were issued too far away from the
  // current time". From the future is too far.
  if (claims.iat > clock.now() / 1000 + clockToleranceSeconds) {
    throw untimely(claims, clock, host);
  }
  if (!isHashOf(expected.accessToken, claims["at_hash"], algorithm)) {
    throw idTokenError("id_token_at_hash", host);
  }
  if (!isHashOf(expected.code, claims["c_hash"], algorithm)) {
    throw idTokenError("id_token_c_hash", host);
  }
  const { occasion } = expected;
  if (occasion.kind !== "refresh") {
    assertRecentAuthentication(payload, occasion.authenticatedSince, clock, host);
  } else if (occasion.previous !== undefined) {
    assertSameSignIn(claims, occasion.previous, host);
  }
  return { claims, signatureVerified: signature.verified };
}
