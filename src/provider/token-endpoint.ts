// Requests to the token endpoint: code, refresh token and client credentials. Changes when a grant is added.

import * as oauth from "oauth4webapi";
import { OidcError, isOidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";
import type { AuthenticationTime, PreviousClaims } from "../keys/id-token-claims.ts";
import { noKeys } from "../keys/key-source.ts";
import { chooseAuthenticationMethod, fittingMethod } from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { assertAuthenticationIsKnown, refuseMissingIdToken, verifyIdToken } from "./id-token.ts";
import type { IdTokenExpectation, VerifiedIdToken } from "./id-token.ts";
import { openProviderForRefresh } from "./metadata.ts";
import type { Provider, ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { quirksOf } from "./quirks.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { answerFrom, requestTokens, targetParameters, tokenEndpointOf } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What the code exchange needs besides the provider. */
export interface CodeExchange extends ClientIdentity, TokenTarget, AuthenticationTime {
  /** As the provider took it for this sign-in already; undefined: chosen by metadata. */
  readonly authenticationMethod: ClientAuthenticationMethod | undefined;
  /** As oauth4webapi's `validateAuthResponse` gave them: only such may be exchanged. */
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly codeVerifier: string | undefined;
  readonly nonce: string | undefined;
  readonly state: string;
  readonly requestedScopes: readonly string[];
}

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

/** What a client without a person needs. */
export interface ClientCredentialsInput extends ClientIdentity, TokenTarget {
  /** Undefined: none are sent. */
  readonly scopes: readonly string[] | undefined;
}

/**
 * Exchanges an authorization code, once, and verifies the ID token.
 * @throws {OidcError} `token_request_failed`, `token_response_invalid`, `id_token_invalid`, `endpoint_invalid`, and what
 * the transport throws.
 * @see RFC 6749 section 4.1.3, OpenID Connect Core section 3.1.3
 */
export async function exchangeCode(
  world: ProviderWorld,
  provider: Provider,
  input: CodeExchange,
  signal?: AbortSignal,
): Promise<TokenAnswer> {
  const { metadata } = provider;
  const tokenEndpoint = tokenEndpointOf(provider);
  const { tokenEndpointAuthenticationMethods: listed } = metadata;
  const code = input.parameters.get("code") ?? undefined;
  const { members, method } = await requestTokens(world, {
    tokenEndpoint,
    issuer: metadata.issuer,
    client: input,
    method: input.authenticationMethod ?? chooseAuthenticationMethod(listed, input),
    grantType: "authorization_code",
    requestedScopes: input.requestedScopes,
    listedScopes: metadata.scopesSupported,
    secrets: [code, input.codeVerifier, input.state, input.nonce],
    signal,
    make: (server, client, authentication, options) =>
      oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        input.parameters,
        input.redirectUri,
        input.codeVerifier ?? oauth.nopkce,
        { ...options, additionalParameters: targetParameters(input) },
      ),
  });
  const host = hostOf(tokenEndpoint);
  if (
    members.idToken === undefined &&
    metadata.source === "openid" &&
    members.scopes.includes("openid")
  ) {
    await refuseMissingIdToken(host, world.clock);
  }
  if (members.idToken === undefined) {
    await assertAuthenticationIsKnown(input.authenticatedSince, world.clock, host);
  }
  const verified =
    members.idToken === undefined
      ? undefined
      : await verifyIdToken(members.idToken, world.clock, {
          issuer: metadata.issuer,
          clientId: input.clientId,
          clientSecret: input.clientSecret,
          keys: provider.keys,
          listedAlgorithms: metadata.idTokenSigningAlgorithms,
          accessToken: members.accessToken,
          code,
          host,
          occasion: {
            kind: "login",
            nonce: input.nonce,
            authenticatedSince: input.authenticatedSince,
          },
          signal,
        });
  return answerFrom(members, verified, {
    authenticationMethod: method,
    tokenEndpoint,
    issuer: metadata.issuer,
    refreshToken: members.refreshToken,
    userinfoEndpoint: metadata.userinfoEndpoint,
    revocationEndpoint: metadata.revocationEndpoint,
    endSessionEndpoint: metadata.endSessionEndpoint,
  });
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
  const scope = input.scopes.join(" ");
  const { members, method } = await requestTokens(world, {
    tokenEndpoint: input.tokenEndpoint,
    issuer,
    client: input,
    method: fittingMethod(input.authenticationMethod, input.clientSecret),
    grantType: "refresh_token",
    requestedScopes: input.scopes,
    secrets: [input.refreshToken],
    signal,
    make: (server, client, authentication, options) => {
      const additionalParameters = targetParameters(input);
      const sendScopes = input.sendScopes ?? false;
      if ((sendScopes || quirksOf(issuer).refreshNeedsScope === true) && scope !== "") {
        additionalParameters.set("scope", scope);
      }
      return oauth.refreshTokenGrantRequest(server, client, authentication, input.refreshToken, {
        ...options,
        additionalParameters,
      });
    },
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

/**
 * A token for the client itself. A refresh token in the answer is ignored (RFC 6749 section 4.4.3).
 * @throws {OidcError} `invalid_option` without a client secret, `token_request_failed`, `token_response_invalid`, and what
 * the transport throws.
 * @see RFC 6749 section 4.4
 */
export async function requestClientCredentials(
  world: ProviderWorld,
  provider: Provider,
  input: ClientCredentialsInput,
  signal?: AbortSignal,
): Promise<TokenAnswer> {
  if (input.clientSecret === undefined) {
    throw new OidcError(
      "invalid_option",
      "Client credentials need a secret, and none is set. Set `clientSecret`.",
    );
  }
  const { metadata } = provider;
  const tokenEndpoint = tokenEndpointOf(provider);
  const { tokenEndpointAuthenticationMethods: listed } = metadata;
  const scopes = input.scopes ?? [];
  const { members, method } = await requestTokens(world, {
    tokenEndpoint,
    issuer: metadata.issuer,
    client: input,
    method: chooseAuthenticationMethod(listed, input),
    grantType: "client_credentials",
    requestedScopes: scopes,
    listedScopes: metadata.scopesSupported,
    secrets: [],
    signal,
    make: (server, client, authentication, options) => {
      const parameters = targetParameters(input);
      if (scopes.length > 0) parameters.set("scope", scopes.join(" "));
      return oauth.clientCredentialsGrantRequest(
        server,
        client,
        authentication,
        parameters,
        options,
      );
    },
  });
  return answerFrom(members, undefined, {
    authenticationMethod: method,
    tokenEndpoint,
    issuer: metadata.issuer,
    refreshToken: undefined,
    userinfoEndpoint: undefined,
    revocationEndpoint: metadata.revocationEndpoint,
  });
}
