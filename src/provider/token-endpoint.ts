// Requests to the token endpoint: code, refresh token and client credentials. Changes when a grant is added.

import * as oauth from "oauth4webapi";
import { OidcError, isOidcError } from "../core/errors.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { hostOf } from "../core/hosts.ts";
import {
  authenticateClient,
  basicCredentials,
  chooseAuthenticationMethod,
  fittingMethod,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { idTokenError, verifyIdToken } from "./id-token.ts";
import type { IdTokenExpectation, PreviousClaims, VerifiedIdToken } from "./id-token.ts";
import { noKeys } from "./key-set.ts";
import { openProviderForRefresh } from "./metadata.ts";
import { sendRequest } from "./protocol-fetch.ts";
import type { ProtocolRequestOptions } from "./protocol-fetch.ts";
import type { Provider, ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { quirksOf } from "./quirks.ts";
import { successfulBody } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";
import { parseTokenMembers } from "./token-answer.ts";
import type { TokenAnswer, TokenMembers } from "./token-answer.ts";

const step = "token request";

/** What the code exchange needs besides the provider. */
export interface CodeExchange extends ClientIdentity {
  /** As oauth4webapi's `validateAuthResponse` gave them: only such may be exchanged. */
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly codeVerifier: string | undefined;
  readonly nonce: string | undefined;
  readonly state: string;
  readonly requestedScopes: readonly string[];
  readonly audience: string | undefined;
}

/** What a refresh needs. Nothing of it comes from the network. */
export interface RefreshInput extends ClientIdentity {
  readonly tokenEndpoint: string;
  /** As at the sign-in; fitted where a secret was set or removed since. */
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly refreshToken: string;
  /** Claims of the sign-in's ID token; undefined where there was none. */
  readonly previous: PreviousClaims | undefined;
  /** As granted before. */
  readonly scopes: readonly string[];
  readonly audience?: string | undefined;
  readonly userinfoEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  /** Where the keys are, should the answer have an ID token. */
  readonly options: ProviderOptions;
}

/** What a client without a person needs. */
export interface ClientCredentialsInput extends ClientIdentity {
  /** Undefined: none are sent. */
  readonly scopes: readonly string[] | undefined;
  readonly audience?: string | undefined;
}

interface TokenRequest {
  readonly tokenEndpoint: string;
  readonly issuer: string;
  readonly client: ClientIdentity;
  readonly method: ClientAuthenticationMethod;
  readonly grantType: string;
  readonly requestedScopes: readonly string[];
  readonly secrets: RequestContext["secrets"];
  readonly signal: AbortSignal | undefined;
  readonly make: (
    server: oauth.AuthorizationServer,
    client: oauth.Client,
    authentication: oauth.ClientAuth,
    options: ProtocolRequestOptions,
  ) => Promise<Response>;
}

/** One request to the token endpoint and the members of its answer. */
async function requestTokens(world: ProviderWorld, request: TokenRequest): Promise<TokenMembers> {
  const { tokenEndpoint, issuer, client, method, grantType, signal } = request;
  const sentAt = Math.floor(world.clock.now() / 1000);
  const server: oauth.AuthorizationServer = { issuer, token_endpoint: tokenEndpoint };
  const authentication = authenticateClient(method, client);
  const answer: HttpAnswer = await sendRequest(world.http, { step, signal }, (options) =>
    request.make(server, { client_id: client.clientId }, authentication, options),
  );
  const secret = client.clientSecret?.reveal() ?? "";
  const body = successfulBody(answer, {
    step,
    grantType,
    secretSent: method !== "none",
    secrets: [secret, basicCredentials(client.clientId, secret), ...request.secrets],
  });
  return parseTokenMembers(body, {
    host: hostOf(answer.url),
    requestedScopes: request.requestedScopes,
    sentAt,
    onWarning: world.onWarning,
  });
}

/** @throws {OidcError} `endpoint_invalid` where the provider has none. */
export function tokenEndpointOf(provider: Provider): string {
  const { tokenEndpoint, issuer } = provider.metadata;
  if (tokenEndpoint !== undefined) return tokenEndpoint;
  throw new OidcError(
    "endpoint_invalid",
    `The discovery document of ${hostOf(issuer)} names no token_endpoint. Set tokenEndpoint, or check issuer.`,
    { reason: "token_endpoint" },
  );
}

/** The `audience` parameter, where one is set. */
export function withAudience(audience: string | undefined): Record<string, string> {
  return audience === undefined ? {} : { audience };
}

/** Puts the answer of a grant together from its parts. */
export function answerFrom(
  members: TokenMembers,
  verified: VerifiedIdToken | undefined,
  rest: Pick<TokenAnswer, "authenticationMethod" | "tokenEndpoint" | "issuer"> & {
    readonly refreshToken: string | undefined;
    readonly userinfoEndpoint: string | undefined;
    readonly revocationEndpoint: string | undefined;
  },
): TokenAnswer {
  const { idToken } = members;
  const { refreshToken, userinfoEndpoint, revocationEndpoint } = rest;
  return {
    accessToken: members.accessToken,
    tokenType: "Bearer",
    scopes: members.scopes,
    issuedAt: members.issuedAt,
    expiresAt: members.expiresAt,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(idToken === undefined || verified === undefined ? {} : { idToken, ...verified }),
    authenticationMethod: rest.authenticationMethod,
    tokenEndpoint: rest.tokenEndpoint,
    ...(userinfoEndpoint === undefined ? {} : { userinfoEndpoint }),
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
    issuer: rest.issuer,
  };
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
  const method = chooseAuthenticationMethod(listed, input.clientSecret);
  const code = input.parameters.get("code") ?? undefined;
  const members = await requestTokens(world, {
    tokenEndpoint,
    issuer: metadata.issuer,
    client: input,
    method,
    grantType: "authorization_code",
    requestedScopes: input.requestedScopes,
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
        { ...options, additionalParameters: withAudience(input.audience) },
      ),
  });
  const host = hostOf(tokenEndpoint);
  if (
    members.idToken === undefined &&
    metadata.source === "openid" &&
    members.scopes.includes("openid")
  ) {
    throw idTokenError("id_token_missing", host);
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
          occasion: { kind: "login", nonce: input.nonce },
          signal,
        });
  return answerFrom(members, verified, {
    authenticationMethod: method,
    tokenEndpoint,
    issuer: metadata.issuer,
    refreshToken: members.refreshToken,
    userinfoEndpoint: metadata.userinfoEndpoint,
    revocationEndpoint: metadata.revocationEndpoint,
  });
}

/**
 * Verifies the ID token of a refresh. The request may have used up the old refresh token, so keys that can't be had
 * must not cost the new one: the answer is then kept without its ID token, whose claims were still compared.
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
  try {
    const provider = await openProviderForRefresh(world, input.options, signal);
    return await verifyIdToken(idToken, world.clock, {
      ...expected,
      keys: provider.keys,
      listedAlgorithms: provider.metadata.idTokenSigningAlgorithms,
    });
  } catch (error) {
    const keysAreMissing =
      isOidcError(error) && error.code !== "id_token_invalid" && error.code !== "subject_changed";
    if (!keysAreMissing) throw error;
    await verifyIdToken(idToken, world.clock, expected);
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
  const method = fittingMethod(input.authenticationMethod, input.clientSecret);
  const scope = input.scopes.join(" ");
  const members = await requestTokens(world, {
    tokenEndpoint: input.tokenEndpoint,
    issuer,
    client: input,
    method,
    grantType: "refresh_token",
    requestedScopes: input.scopes,
    secrets: [input.refreshToken],
    signal,
    make: (server, client, authentication, options) =>
      oauth.refreshTokenGrantRequest(server, client, authentication, input.refreshToken, {
        ...options,
        additionalParameters: {
          ...withAudience(input.audience),
          ...(quirksOf(issuer).refreshNeedsScope === true && scope !== "" ? { scope } : {}),
        },
      }),
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
      "Client credentials need a secret, and none is set. Set clientSecret.",
    );
  }
  const { metadata } = provider;
  const tokenEndpoint = tokenEndpointOf(provider);
  const { tokenEndpointAuthenticationMethods: listed } = metadata;
  const method = chooseAuthenticationMethod(listed, input.clientSecret);
  const scopes = input.scopes ?? [];
  const members = await requestTokens(world, {
    tokenEndpoint,
    issuer: metadata.issuer,
    client: input,
    method,
    grantType: "client_credentials",
    requestedScopes: scopes,
    secrets: [],
    signal,
    make: (server, client, authentication, options) =>
      oauth.clientCredentialsGrantRequest(
        server,
        client,
        authentication,
        {
          ...withAudience(input.audience),
          ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
        },
        options,
      ),
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
