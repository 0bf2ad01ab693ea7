// One request to the token endpoint, whatever the grant, and what its answer is made into. Changes when all grants do.

import type * as oauth from "oauth4webapi";
import { OidcError } from "../core/errors.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { hostOf } from "../core/hosts.ts";
import {
  authenticateClient,
  basicCredentials,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import type { VerifiedIdToken } from "./id-token.ts";
import { sendRequest } from "./protocol-fetch.ts";
import type { ProtocolRequestOptions } from "./protocol-fetch.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import { successfulBody } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";
import { parseTokenMembers } from "./token-answer.ts";
import type { TokenAnswer, TokenMembers } from "./token-answer.ts";

/** What an access token is for. */
export interface TokenTarget {
  readonly audience?: string | undefined;
  /** RFC 8707 resource indicators, each sent as a parameter of its own. */
  readonly resources?: readonly string[] | undefined;
  /** Those of the first access token, where the grant is for more (RFC 8707 section 2.2). Default: all. */
  readonly tokenResources?: readonly string[] | undefined;
}

/** One request, before it is known how the client authenticates. */
export interface TokenRequest {
  readonly tokenEndpoint: string;
  readonly issuer: string;
  readonly client: ClientIdentity;
  /** The first choice; the other one follows where the provider refuses it. */
  readonly method: ClientAuthenticationMethod;
  readonly grantType: string;
  readonly requestedScopes: readonly string[];
  /** Those that the metadata lists, where they are at hand. */
  readonly listedScopes?: readonly string[] | undefined;
  readonly secrets: RequestContext["secrets"];
  readonly signal: AbortSignal | undefined;
  readonly make: (
    server: oauth.AuthorizationServer,
    client: oauth.Client,
    authentication: oauth.ClientAuth,
    options: ProtocolRequestOptions,
  ) => Promise<Response>;
}

const step = "token request";

async function requestOnce(
  world: ProviderWorld,
  request: TokenRequest,
  method: ClientAuthenticationMethod,
): Promise<TokenMembers> {
  const { tokenEndpoint, issuer, client, grantType, signal } = request;
  const sentAt = Math.floor(world.clock.now() / 1000);
  const server: oauth.AuthorizationServer = { issuer, token_endpoint: tokenEndpoint };
  const authentication = authenticateClient(method, client);
  const answer: HttpAnswer = await sendRequest(world.http, { step, signal }, (options) =>
    request.make(server, { client_id: client.clientId }, authentication, options),
  );
  const secret = client.clientSecret?.reveal() ?? "";
  const secrets = [secret, basicCredentials(client.clientId, secret), ...request.secrets];
  const body = successfulBody(answer, {
    step,
    grantType,
    secretSent: method !== "none",
    secrets,
    requestedScopes: request.requestedScopes,
    listedScopes: request.listedScopes,
  });
  return parseTokenMembers(body, {
    host: hostOf(answer.url),
    requestedScopes: request.requestedScopes,
    sentAt,
    grantType,
    secrets,
    onWarning: world.onWarning,
  });
}

/**
 * One request to the token endpoint, two where the provider wants the secret in the other place, and the members of
 * its answer.
 */
export async function requestTokens(
  world: ProviderWorld,
  request: TokenRequest,
): Promise<{ readonly members: TokenMembers; readonly method: ClientAuthenticationMethod }> {
  const { result, method } = await withClientAuthentication(
    request.method,
    async (each) => requestOnce(world, request, each),
    request.grantType,
  );
  return { members: result, method };
}

/** @throws {OidcError} `endpoint_invalid` where the provider has none. */
export function tokenEndpointOf(provider: Provider): string {
  const { tokenEndpoint, issuer } = provider.metadata;
  if (tokenEndpoint !== undefined) return tokenEndpoint;
  throw new OidcError(
    "endpoint_invalid",
    `The discovery document of ${hostOf(issuer)} names no token_endpoint. Set \`tokenEndpoint\`, or check \`issuer\`.`,
    { reason: "token_endpoint" },
  );
}

/**
 * `audience` and `resource`, where they are set.
 * @see RFC 8707 section 2: "Multiple resource parameters MAY be used"
 */
export function targetParameters(target: TokenTarget): URLSearchParams {
  const parameters = new URLSearchParams();
  if (target.audience !== undefined) parameters.set("audience", target.audience);
  for (const resource of target.resources ?? []) parameters.append("resource", resource);
  return parameters;
}

/** Puts the answer of a grant together from its parts. */
export function answerFrom(
  members: TokenMembers,
  verified: VerifiedIdToken | undefined,
  rest: Pick<TokenAnswer, "authenticationMethod" | "tokenEndpoint" | "issuer"> & {
    readonly refreshToken: string | undefined;
    readonly userinfoEndpoint: string | undefined;
    readonly revocationEndpoint: string | undefined;
    readonly endSessionEndpoint?: string | undefined;
  },
): TokenAnswer {
  const { idToken } = members;
  const { refreshToken, userinfoEndpoint, revocationEndpoint, endSessionEndpoint } = rest;
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
    ...(endSessionEndpoint === undefined ? {} : { endSessionEndpoint }),
    issuer: rest.issuer,
  };
}
