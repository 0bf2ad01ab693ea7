// Requests of the device flow: one for a code, then polls for the tokens. Changes when RFC 8628 asks more of them.

import * as oauth from "oauth4webapi";
import { OidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { isRefusedByPerson } from "./error-words-meaning.ts";
import { readAnswerObject } from "./answer-body.ts";
import {
  authenticatedSinceOf,
  authenticationParameters,
  scopesOf,
} from "./authorization-request.ts";
import {
  authenticateClient,
  basicCredentials,
  chooseAuthenticationMethod,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { deviceStep, parseDeviceMembers, parseInterval } from "./device-answer.ts";
import type { DeviceMembers } from "./device-answer.ts";
import { endpointProblem } from "./endpoint.ts";
import { assertAuthenticationIsKnown, verifyIdToken } from "./id-token.ts";
import { challengeParameters, createCodeVerifier } from "./proof-key.ts";
import { sendRequest } from "./protocol-fetch.ts";
import type { ProtocolRequestOptions } from "./protocol-fetch.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import { refusalError, refusalIn, successfulBody } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";
import { parseTokenMembers } from "./token-answer.ts";
import type { TokenAnswer, TokenMembers } from "./token-answer.ts";
import { answerFrom, targetParameters, tokenEndpointOf } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

const pollStep = "token request";
const grantType = "urn:ietf:params:oauth:grant-type:device_code";

/** What a sign-in by a device code is made of. */
export interface DeviceInput extends ClientIdentity, TokenTarget {
  /** Undefined: `openid profile email`, or none where the provider lists scopes without `openid`. */
  readonly scopes: readonly string[] | undefined;
  readonly offlineAccess: boolean;
  /**
   * RFC 7636 in the device flow, which RFC 8628 does not forbid: some want it of clients that must use PKCE, and
   * providers that do not know it ignore it (RFC 6749 section 3.1). Default: false.
   */
  readonly pkce?: boolean | undefined;
  /** Sent as an extension of the device request, which providers may ignore; the ID token is checked all the same. */
  readonly maxAgeSeconds?: number | undefined;
  readonly acrValues?: readonly string[] | undefined;
}

/** What one poll came to. */
export type DevicePoll =
  | { readonly kind: "granted"; readonly answer: TokenAnswer }
  | { readonly kind: "pending" }
  /** `intervalSeconds`: the new interval, where the answer names one. */
  | { readonly kind: "slow_down"; readonly intervalSeconds: number | undefined };

/** A code that waits to be entered. The device code itself never leaves this object. */
export interface DeviceAuthorization extends Omit<DeviceMembers, "deviceCode"> {
  readonly requestedScopes: readonly string[];
  /**
   * Asks once whether the person is done.
   * @throws {OidcError} `device_code_expired`, `access_denied`, `token_request_failed`, `token_response_invalid`,
   * `id_token_invalid`, and what the transport throws.
   */
  poll(signal: AbortSignal): Promise<DevicePoll>;
}

interface Exchange {
  readonly world: ProviderWorld;
  readonly provider: Provider;
  readonly input: DeviceInput;
  readonly method: ClientAuthenticationMethod;
  readonly endpoint: string;
  readonly tokenEndpoint: string;
  readonly requestedScopes: readonly string[];
  readonly authenticatedSince: number | undefined;
  readonly codeVerifier: string | undefined;
}

function deviceEndpointOf(provider: Provider): string {
  const { metadata, options } = provider;
  const { deviceAuthorizationEndpoint: endpoint, issuer } = metadata;
  if (endpoint === undefined) {
    throw new OidcError(
      "no_interactive_flow",
      `${hostOf(issuer)} offers no device authorization endpoint (discovery). Check \`issuer\`, or set \`deviceAuthorizationEndpoint\`.`,
    );
  }
  const problem = endpointProblem(endpoint, issuer, options.allowInsecureHttp);
  if (problem === undefined) return endpoint;
  throw new OidcError(
    "endpoint_invalid",
    `The device authorization endpoint can't be used: ${problem}. Correct \`deviceAuthorizationEndpoint\`.`,
    { reason: "device_authorization_endpoint" },
  );
}

async function send(
  exchange: Exchange,
  step: string,
  signal: AbortSignal,
  make: (
    server: oauth.AuthorizationServer,
    client: oauth.Client,
    authentication: oauth.ClientAuth,
    options: ProtocolRequestOptions,
  ) => Promise<Response>,
): Promise<HttpAnswer> {
  const { world, provider, input, method, endpoint, tokenEndpoint } = exchange;
  const server: oauth.AuthorizationServer = {
    issuer: provider.metadata.issuer,
    token_endpoint: tokenEndpoint,
    device_authorization_endpoint: endpoint,
  };
  const authentication = authenticateClient(method, input);
  return sendRequest(world.http, { step, signal }, (options) =>
    make(server, { client_id: input.clientId }, authentication, options),
  );
}

function contextOf(exchange: Exchange, step: string, deviceCode?: string): RequestContext {
  const { input, method, codeVerifier, requestedScopes, provider } = exchange;
  const secret = input.clientSecret?.reveal() ?? "";
  return {
    step,
    grantType,
    secretSent: method !== "none",
    secrets: [secret, basicCredentials(input.clientId, secret), deviceCode, codeVerifier],
    requestedScopes,
    listedScopes: provider.metadata.scopesSupported,
  };
}

async function verify(
  exchange: Exchange,
  members: TokenMembers,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const { world, provider, input, tokenEndpoint, method } = exchange;
  const { metadata } = provider;
  const { idToken, accessToken } = members;
  const host = hostOf(tokenEndpoint);
  const { authenticatedSince } = exchange;
  if (idToken === undefined) {
    await assertAuthenticationIsKnown(authenticatedSince, world.clock, host);
    // RFC 8628 section 3.5 asks for no ID token, and some servers give none.
    if (metadata.source === "openid" && members.scopes.includes("openid")) {
      world.onWarning(
        "id_token_missing",
        `${host} granted openid and gave no ID token, so it is not known who signed in (token request). The access token is good all the same.`,
      );
    }
  }
  const verified =
    idToken === undefined
      ? undefined
      : await verifyIdToken(idToken, world.clock, {
          issuer: metadata.issuer,
          clientId: input.clientId,
          clientSecret: input.clientSecret,
          keys: provider.keys,
          listedAlgorithms: metadata.idTokenSigningAlgorithms,
          accessToken,
          host,
          occasion: { kind: "device", authenticatedSince },
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

/** The error of a code that was not entered in time. */
export function deviceCodeExpired(
  host: string,
  details: { providerError?: string; cause?: unknown } = {},
): OidcError {
  const what =
    details.cause === undefined
      ? `Nobody entered the code at ${host} before it expired.`
      : `The code expired while ${host} gave no answer; whether anybody entered it is not known.`;
  return new OidcError(
    "device_code_expired",
    `${what} Sign in again: a new code is shown.`,
    details,
  );
}

/** One request with the device code. */
async function pollOnce(
  exchange: Exchange,
  deviceCode: string,
  signal: AbortSignal,
): Promise<DevicePoll> {
  const { world, input, tokenEndpoint, requestedScopes } = exchange;
  const sentAt = Math.floor(world.clock.now() / 1000);
  const parameters = targetParameters({
    audience: input.audience,
    resources: input.tokenResources ?? input.resources,
  });
  if (exchange.codeVerifier !== undefined) parameters.set("code_verifier", exchange.codeVerifier);
  const answer = await send(exchange, pollStep, signal, (server, client, authentication, options) =>
    oauth.deviceCodeGrantRequest(server, client, authentication, deviceCode, {
      ...options,
      additionalParameters: parameters,
    }),
  );
  const host = hostOf(tokenEndpoint);
  const context = contextOf(exchange, pollStep, deviceCode);
  const body = readAnswerObject(answer);
  // The error decides, not the status: one large provider refuses with 200.
  const refusal = body.ok ? refusalIn(body.value, context.secrets) : undefined;
  if (body.ok && refusal !== undefined) {
    const { error } = refusal;
    if (error === "authorization_pending") return { kind: "pending" };
    if (error === "slow_down") {
      return { kind: "slow_down", intervalSeconds: parseInterval(body.value["interval"]) };
    }
    if (error === "expired_token") {
      throw deviceCodeExpired(hostOf(exchange.provider.metadata.issuer), { providerError: error });
    }
    if (isRefusedByPerson(error)) throw refusalError("access_denied", host, refusal, context);
  }
  const members = parseTokenMembers(successfulBody(answer, context), {
    host,
    requestedScopes,
    sentAt,
    grantType,
    secrets: context.secrets,
    onWarning: world.onWarning,
  });
  return { kind: "granted", answer: await verify(exchange, members, signal) };
}

/**
 * Asks for a device code, once.
 * @throws {OidcError} `no_interactive_flow`, `endpoint_invalid` (reason `verification_uri`: the provider names an address
 * that nobody should visit), `token_request_failed`, `token_response_invalid`, and what the transport throws.
 * @see RFC 8628 section 3.1
 */
export async function requestDeviceAuthorization(
  world: ProviderWorld,
  provider: Provider,
  input: DeviceInput,
  signal: AbortSignal,
): Promise<DeviceAuthorization> {
  const { metadata, options } = provider;
  const requestedScopes = scopesOf(input, metadata);
  const codeVerifier = input.pkce === true ? createCodeVerifier(world) : undefined;
  const exchange: Exchange = {
    world,
    provider,
    input,
    method: chooseAuthenticationMethod(metadata.tokenEndpointAuthenticationMethods, input),
    endpoint: deviceEndpointOf(provider),
    tokenEndpoint: tokenEndpointOf(provider),
    requestedScopes,
    authenticatedSince: authenticatedSinceOf(world.clock, input.maxAgeSeconds),
    codeVerifier,
  };
  const parameters = targetParameters(input);
  if (requestedScopes.length > 0) parameters.set("scope", requestedScopes.join(" "));
  const more = { ...authenticationParameters(input), ...(await challengeParameters(codeVerifier)) };
  for (const [name, value] of Object.entries(more)) parameters.set(name, value);
  const asked = await withClientAuthentication(exchange.method, async (method) => {
    const tried = { ...exchange, method };
    const answer = await send(
      tried,
      deviceStep,
      signal,
      (server, client, authentication, requestOptions) =>
        oauth.deviceAuthorizationRequest(
          server,
          client,
          authentication,
          parameters,
          requestOptions,
        ),
    );
    return parseDeviceMembers(successfulBody(answer, contextOf(tried, deviceStep)), {
      host: hostOf(answer.url),
      allowInsecureHttp: options.allowInsecureHttp,
    });
  });
  const { deviceCode, ...shown } = asked.result;
  let accepted = asked.method;
  return {
    ...shown,
    requestedScopes,
    poll: async (pollSignal) => {
      // Some providers look at the secret only here.
      const polled = await withClientAuthentication(accepted, async (method) =>
        pollOnce({ ...exchange, method }, deviceCode.reveal(), pollSignal),
      );
      accepted = polled.method;
      return polled.result;
    },
  };
}
