// The refresh token grant: one request, and the ID token in its answer, should it have one.

import { isOidcError, wordingOf } from "../core/errors.ts";
import { loadPart } from "../core/load.ts";
import { markUnsent } from "../core/request-fate.ts";
import { say } from "../core/wording.ts";
import { fittingMethod } from "./client-authentication.ts";
import type { ClientAuthenticationMethod } from "./client-authentication.ts";
import type { VerifiedIdToken } from "./id-token.ts";
import type { ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { quirksOf } from "./quirks.ts";
import type { RenewedSignIn, verifyRefreshed } from "./refreshed-id-token.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { answerFrom, requestTokens, targetParameters } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What a refresh needs. Nothing of it comes from the network. */
export interface RefreshInput extends RenewedSignIn, TokenTarget {
  /** As at the sign-in; fitted where a secret was set or removed since. */
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly refreshToken: string;
  /** As granted before, or as asked for now. */
  readonly scopes: readonly string[];
  /** Whether they are asked for now: another access token than the last one. Default: only where a provider needs it. */
  readonly sendScopes?: boolean | undefined;
  readonly userinfoEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
}

/** What the request says of the grant. @see RFC 6749 section 6, RFC 8707 section 2.2 */
export function refreshParameters(
  input: Pick<RefreshInput, "refreshToken" | "scopes" | "sendScopes"> &
    TokenTarget & { readonly options: Pick<ProviderOptions, "issuer"> },
): URLSearchParams {
  const parameters = targetParameters(input);
  const scope = input.scopes.join(" ");
  const needsScope = quirksOf(input.options.issuer).refreshNeedsScope === true;
  if ((input.sendScopes === true || needsScope) && scope !== "") parameters.set("scope", scope);
  parameters.set("refresh_token", input.refreshToken);
  return parameters;
}

/** Verifies ID tokens of refreshes: a part of its own, because many refreshes have none. */
type Verification = typeof verifyRefreshed;

async function loadVerification(): Promise<Verification> {
  return (await loadPart(() => import("./refreshed-id-token.ts"))).verifyRefreshed;
}

/** Loaded before anything is sent: a file that cannot be read must not cost an answer that used up the refresh token. */
async function loadExpected({ previous }: RefreshInput): Promise<Verification | undefined> {
  if (previous === undefined) return undefined;
  try {
    return await loadVerification();
  } catch (error) {
    throw markUnsent(error);
  }
}

/** For an ID token where the sign-in had none: there is nothing that it must agree with, so it can be done without. */
async function loadUnexpected(world: ProviderWorld): Promise<Verification | undefined> {
  try {
    return await loadVerification();
  } catch (error) {
    if (!isOidcError(error)) throw error;
    world.onWarning(
      "id_token_unverified",
      say`The sign-in was renewed, but its ID token could not be verified and was dropped: ${wordingOf(error)}`,
    );
    return undefined;
  }
}

/**
 * Renews tokens with one request. The keys at hand verify an ID token in the answer.
 * @returns the old refresh token where the answer has none (RFC 6749 section 6), the scopes as before where it names none.
 * @throws {OidcError} `token_request_failed` (reason `invalid_grant`: the provider has ended the sign-in; `empty`: it
 * refused without a word), `token_response_invalid`, `id_token_invalid`, `subject_changed`, and what the transport throws.
 * @see RFC 6749 section 6, OpenID Connect Core section 12
 */
export async function refreshTokens(
  world: ProviderWorld,
  input: RefreshInput,
  signal?: AbortSignal,
): Promise<TokenAnswer> {
  const { issuer } = input.options;
  const expected = await loadExpected(input);
  const { members, method } = await requestTokens(world, {
    tokenEndpoint: input.tokenEndpoint,
    client: input,
    method: fittingMethod(input.authenticationMethod, input.clientSecret),
    grantType: "refresh_token",
    parameters: refreshParameters(input),
    requestedScopes: input.scopes,
    secrets: [input.refreshToken],
    signal,
  });
  const { idToken, accessToken } = members;
  let verified: VerifiedIdToken | undefined;
  if (idToken !== undefined) {
    const verify = expected ?? (await loadUnexpected(world));
    verified = await verify?.(world, idToken, accessToken, input, signal);
  }
  return answerFrom(members, verified, {
    authenticationMethod: method,
    tokenEndpoint: input.tokenEndpoint,
    issuer,
    refreshToken: members.refreshToken ?? input.refreshToken,
    userinfoEndpoint: input.userinfoEndpoint,
    revocationEndpoint: input.revocationEndpoint,
  });
}
