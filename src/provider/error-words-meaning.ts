// Which of our stable reasons a provider's error is, whatever the provider calls it.

import type { ProtocolReason } from "../core/error-codes.ts";
import { isProtocolReason } from "../core/error-table.ts";

// `invalid_client` in other words:
// https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
const otherWordsForInvalidClient: ReadonlySet<string> = new Set(["incorrect_client_credentials"]);

// What a refused refresh may be about besides the refresh token. The first group is RFC 6749 section 5.2 and its
// extensions; then other words for the client; then words of gateways that stand before a provider.
const notAboutTheRefreshToken: ReadonlySet<string> = new Set([
  "invalid_request",
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "server_error",
  "temporarily_unavailable",
  "slow_down",
  "authorization_pending",
  "invalid_target",
  "invalid_dpop_proof",
  "use_dpop_nonce",
  "invalid_client_metadata",
  "invalid_client_id",
  "invalid_client_secret",
  "redirect_uri_mismatch",
  "access_denied",
  "bad_request",
  "forbidden",
  "unauthorized",
  "internal_error",
  "internal_server_error",
  "quota_exceeded",
  "rate_limit_exceeded",
  "too_many_requests",
]);

const refusalStatuses: ReadonlySet<number> = new Set([200, 400, 401, 403]);

/** What is known of the request that was refused. */
export interface RefusedGrant {
  readonly grantType?: string | undefined;
  /** The answer's, where a refresh was refused. */
  readonly status?: number | undefined;
  readonly secretSent?: boolean | undefined;
}

const refreshToken = /refresh[ _-]?token/i;
const isOver =
  /\b(?:invalid|expired|revoked|unknown|claimed|reused|inactive|unrecogni[sz]ed)\b|not (?:found|valid|active|recogni[sz]ed)|no longer|already (?:been )?used|does(?: not|n't) exist/i;
// What is missing is our own fault, and what is said of the client is not the token's.
const isNoEnd =
  /missing|required|must be (?:present|provided|specified)|not (?:been )?(?:provided|specified|supplied|present)|empty|invalid client|client[ _](?:id|secret|credentials|authentication)/i;

/**
 * True where a provider says in words that the refresh token is over: Dex, Authlib and others answer `invalid_request`
 * with "Refresh token expired." or "Invalid refresh_token", for which RFC 6749 section 5.2 has `invalid_grant`. Where
 * that is not understood, nobody is ever asked to sign in again.
 * https://github.com/authlib/authlib/issues/112, https://github.com/FlowFuse/flowfuse/pull/8547,
 * https://github.com/xee-lab/xee-api-docs/issues/82
 */
export function endsRefreshToken(words: string, { grantType, status }: RefusedGrant): boolean {
  return (
    grantType === "refresh_token" &&
    status !== undefined &&
    refusalStatuses.has(status) &&
    refreshToken.test(words) &&
    isOver.test(words) &&
    !isNoEnd.test(words)
  );
}

// RFC 6749 section 5.2 and its extensions: a standard's word for something else is not overruled by a sentence.
const surelyNotTheRefreshToken: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
  "server_error",
  "temporarily_unavailable",
  "slow_down",
  "invalid_dpop_proof",
  "use_dpop_nonce",
]);

/**
 * `invalid_grant` in other words. Providers have many for a refresh token that they refuse, and where it is not taken for
 * what it is nobody is ever asked to sign in again: `invalid_code` with 403 (glewlwyd 2.7.5, observed),
 * `bad_refresh_token` with 200 (GitHub:
 * https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors).
 * The form is that of every registered error, so that a gateway's sentence is none. After a secret was sent a 401 is about
 * the client (RFC 6749 section 5.2), unless its word names a token or a grant.
 */
function refusesRefreshToken(error: string, refused: RefusedGrant): boolean {
  const { status, secretSent } = refused;
  const mayBeTheClient = status === 401 && secretSent === true;
  return (
    status !== undefined &&
    refusalStatuses.has(status) &&
    /^[a-z][a-z0-9_]{0,63}$/.test(error) &&
    !notAboutTheRefreshToken.has(error) &&
    !(mayBeTheClient && !/token|grant|session|expired|revoked/.test(error))
  );
}

/**
 * The provider's `error` as our stable `reason`, where a standard names it or what it and its description mean; else
 * undefined.
 */
export function reasonOf(
  error: string,
  refused: RefusedGrant = {},
  description = "",
): ProtocolReason | undefined {
  if (otherWordsForInvalidClient.has(error)) return "invalid_client";
  if (refused.grantType === "refresh_token") {
    if (refusesRefreshToken(error, refused)) return "invalid_grant";
    if (!surelyNotTheRefreshToken.has(error) && endsRefreshToken(description, refused)) {
      return "invalid_grant";
    }
  }
  return isProtocolReason(error) ? error : undefined;
}

const clientMember = String.raw`client[ _]?(?:id|secret)\b`;
const isAbsent = String.raw`missing|required|not (?:been )?(?:provided|supplied|given|sent|present|specified)|(?:should|must|may|can) ?not be (?:null|empty|blank)|(?:is|was) (?:null|empty|blank|undefined)`;
const missingClient = new RegExp(
  `\\b(?:missing|required|expected|without|lacks?|no)\\b.{0,60}?\\b${clientMember}|\\b${clientMember}.{0,40}?(?:${isAbsent})`,
  "i",
);

/**
 * True where a provider says that it has not seen the client at all, though RFC 6749 section 2.3.1 makes it support Basic:
 * https://github.com/Automattic/wp-openid-connect-server/pull/116, https://github.com/gitroomhq/postiz-app/pull/2093
 */
export function missesClient(words: string): boolean {
  return missingClient.test(words);
}

const refusedByPerson: ReadonlySet<string> = new Set([
  // RFC 6749 section 4.1.2.1, RFC 8628 section 3.5; also where a rule of the provider refuses.
  "access_denied",
  // Entra, device flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#expected-errors
  "authorization_declined",
  // LinkedIn, and Apple the second one:
  // https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow#application-is-rejected
  "user_cancelled_login",
  "user_cancelled_authorize",
]);

/** True where the person said no, in whatever words the provider tells it. */
export function isRefusedByPerson(error: string): boolean {
  return refusedByPerson.has(error);
}
