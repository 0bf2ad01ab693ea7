// Verifies ID tokens: signature, then claims, then the error for what is wrong.

import type { Clock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { Secret } from "../core/secret.ts";
import type { IdTokenClaims } from "../core/types.ts";
import {
  authenticationProblem,
  checkIdTokenClaims,
  type Occasion,
} from "../keys/id-token-claims.ts";
import type { KeySource } from "../keys/key-source.ts";
import { checkSignature } from "../keys/signature.ts";
import type { IdTokenFacts, IdTokenProblem } from "./id-token-words.ts";
import { expectedIdTokenIssuer } from "./quirks.ts";

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
  readonly occasion: Occasion;
  readonly signal?: AbortSignal | undefined;
}

/** A verified ID token. */
export interface VerifiedIdToken {
  readonly claims: IdTokenClaims;
  /** False where the provider has no known keys, so that only the claims were checked. */
  readonly signatureVerified: boolean;
}

/** Throws what is wrong. The words for it are loaded only then: most ID tokens are good. */
async function refuse(problem: IdTokenProblem, facts: IdTokenFacts): Promise<never> {
  const { idTokenError } = await loadPart(() => import("./id-token-words.ts"));
  throw idTokenError(problem, facts);
}

/** @throws {OidcError} `id_token_invalid` with the reason `id_token_missing`. */
export async function refuseMissingIdToken(host: string, clock: Clock): Promise<never> {
  return refuse("missing", { host, nowMilliseconds: clock.now() });
}

/**
 * For an answer without an ID token, which then says of no time at all.
 * @throws {OidcError} `id_token_invalid` with the reason `id_token_auth_time` where a recent sign-in was asked for.
 */
export async function assertAuthenticationIsKnown(
  authenticatedSince: number | undefined,
  clock: Clock,
  host: string,
): Promise<void> {
  const nowMilliseconds = clock.now();
  const problem = authenticationProblem({}, authenticatedSince, nowMilliseconds / 1000);
  if (problem !== undefined) await refuse(problem, { host, nowMilliseconds });
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
  const { host, accessToken, code, clientSecret } = expected;
  const signature = await checkSignature(token, expected);
  const nowMilliseconds = clock.now();
  if (!signature.accepted) return refuse(signature.problem, { host, nowMilliseconds });
  const { payload, algorithm } = signature;
  const issuer = expectedIdTokenIssuer(expected.issuer, payload);
  const checked = checkIdTokenClaims(
    payload,
    { ...expected, issuer, algorithm },
    nowMilliseconds / 1000,
  );
  if ("problem" in checked) {
    const secrets = [accessToken, code, clientSecret?.reveal()];
    return refuse(checked.problem, { host, nowMilliseconds, payload, issuer, secrets });
  }
  return { claims: checked.claims, signatureVerified: signature.verified };
}
