// One request to the token endpoint, whatever the grant, and what its answer is made into.

import { nowSeconds } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { successfulBody } from "./successful-answer.ts";
import {
  authenticatedRequest,
  secretsOf,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import type { VerifiedIdToken } from "./id-token.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
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
  readonly client: ClientIdentity;
  /** The first choice; the other one follows where the provider refuses it. */
  readonly method: ClientAuthenticationMethod;
  readonly grantType: string;
  readonly requestedScopes: readonly string[];
  /** Those that the metadata lists, where they are at hand. */
  readonly listedScopes?: readonly string[] | undefined;
  readonly secrets: RequestContext["secrets"];
  readonly signal: AbortSignal | undefined;
  /** The grant's own; {@link tokenRequest} adds `grant_type` and the client. */
  readonly parameters: URLSearchParams;
}

const step = "token request";

/** The request, with the client's identity in it by one method. */
export function tokenRequest(
  request: Pick<TokenRequest, "tokenEndpoint" | "client" | "grantType" | "parameters" | "signal">,
  method: ClientAuthenticationMethod,
): HttpRequest {
  const { tokenEndpoint: url, client, grantType, signal } = request;
  const parameters = new URLSearchParams(request.parameters);
  parameters.set("grant_type", grantType);
  return authenticatedRequest({ url, step, client, parameters, signal }, method);
}

async function requestOnce(
  world: ProviderWorld,
  request: TokenRequest,
  method: ClientAuthenticationMethod,
): Promise<TokenMembers> {
  const { client, grantType, requestedScopes, listedScopes } = request;
  const sentAt = Math.floor(nowSeconds(world.clock));
  const answer = await world.http.send(tokenRequest(request, method));
  const secrets = [...secretsOf(client), ...request.secrets];
  const secretSent = method !== "none";
  const context = { step, grantType, secretSent, secrets, requestedScopes, listedScopes };
  return parseTokenMembers(await successfulBody(answer, context), {
    host: hostAndPort(answer.url),
    requestedScopes,
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
    `The discovery document of ${hostAndPort(issuer)} names no token_endpoint.`,
    {
      reason: "token_endpoint",
      remedy: say`Set ${option("tokenEndpoint")}, or check ${option("issuer")}.`,
    },
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
