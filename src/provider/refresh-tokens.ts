// The refresh token grant: one request, and the ID token in its answer, should it have one.

import { isOidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";
import type { PreviousClaims } from "../keys/id-token-claims.ts";
import { noKeys } from "../keys/key-source.ts";
import { fittingMethod } from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { verifyIdToken } from "./id-token.ts";
import type { IdTokenExpectation, VerifiedIdToken } from "./id-token.ts";
import { openProviderForRefresh } from "./metadata.ts";
import type { ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { quirksOf } from "./quirks.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { answerFrom, requestTokens, targetParameters } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What a refresh needs. Nothing of it comes from the network. */
export interface RefreshInput extends ClientIdentity, TokenTarget {
  readonly tokenEndpoint: string;
  /** As at the sign-in; fitted where a secret was set or removed since. */
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly refreshToken: string;
  /** Claims of the sign-in's ID token; undefined where there was none. */
  readonly previous: PreviousClaims | undefined;
  /** As granted before, or as asked for now. */
  readonly scopes: readonly string[];
  /** Whether they are asked for now: another access token than the last one. Default: only where a provider needs it. */
  readonly sendScopes?: boolean | undefined;
  readonly userinfoEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  /** Where the keys are, should the answer have an ID token. */
  readonly options: ProviderOptions;
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

/**
 * Verifies an ID token whose time does not fit this machine's, as if it were looked at when it was issued.
 * @throws {OidcError} where more than the clocks is wrong.
 */
async function verifyAtItsTime(
  idToken: string,
  { clock }: ProviderWorld,
  expected: IdTokenExpectation,
): Promise<void> {
  const issuedAt = idTokenTimes(idToken)?.issuedAt ?? clock.now() / 1000;
  await verifyIdToken(idToken, { ...clock, now: () => issuedAt * 1000 }, expected);
}

/**
 * Verifies the ID token of a refresh. The request may have used up the old refresh token, so neither keys that can't be had
 * nor a clock that is wrong must cost the new one: the answer is then kept without its ID token, whose claims were still
 * compared.
 */
async function verifyRefreshed(
  world: ProviderWorld,
  idToken: string,
  accessToken: string,
  input: RefreshInput,
  signal: AbortSignal | undefined,
): Promise<VerifiedIdToken | undefined> {
  const expected: IdTokenExpectation = {
    issuer: input.options.issuer,
    clientId: input.clientId,
    clientSecret: input.clientSecret,
    keys: noKeys,
    listedAlgorithms: undefined,
    accessToken,
    host: hostOf(input.tokenEndpoint),
    occasion: { kind: "refresh", previous: input.previous },
    signal,
  };
  let checked = expected;
  try {
    const provider = await openProviderForRefresh(world, input.options, signal);
    checked = {
      ...expected,
      keys: provider.keys,
      listedAlgorithms: provider.metadata.idTokenSigningAlgorithms,
    };
    return await verifyIdToken(idToken, world.clock, checked);
  } catch (error) {
    if (!isOidcError(error) || error.code === "subject_changed") throw error;
    const isRefused = error.code === "id_token_invalid";
    if (isRefused && error.reason !== "id_token_time") throw error;
    await verifyAtItsTime(idToken, world, isRefused ? checked : expected);
    world.onWarning(
      "id_token_unverified",
      `The sign-in was renewed, but the new ID token could not be verified and was dropped: ${error.message}`,
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
  const verified =
    idToken === undefined
      ? undefined
      : await verifyRefreshed(world, idToken, accessToken, input, signal);
  return answerFrom(members, verified, {
    authenticationMethod: method,
    tokenEndpoint: input.tokenEndpoint,
    issuer,
    refreshToken: members.refreshToken ?? input.refreshToken,
    userinfoEndpoint: input.userinfoEndpoint,
    revocationEndpoint: input.revocationEndpoint,
  });
}
