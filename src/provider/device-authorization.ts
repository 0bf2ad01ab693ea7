// Requests of the device flow (RFC 8628): one for a code, then polls for the tokens.

import { nowSeconds } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { isRefusedByPerson } from "./error-words-meaning.ts";
import { readAnswerObject } from "./answer-body.ts";
import { successfulBody } from "./successful-answer.ts";
import {
  authenticatedSinceOf,
  authenticationParameters,
  scopesOf,
} from "./authorization-request.ts";
import {
  authenticatedRequest,
  chooseAuthenticationMethod,
  secretsOf,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { deviceStep, parseDeviceMembers, parseInterval } from "./device-answer.ts";
import type { DeviceMembers } from "./device-answer.ts";
import { endpointProblem } from "./endpoint.ts";
import { assertAuthenticationIsKnown } from "./id-token.ts";
import { challengeParameters, createCodeVerifier } from "./proof-key.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import { refusalError, refusalIn } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";
import { signInAnswer } from "./sign-in-answer.ts";
import { parseTokenMembers } from "./token-answer.ts";
import type { TokenAnswer, TokenMembers } from "./token-answer.ts";
import { targetParameters, tokenEndpointOf, tokenRequest } from "./token-request.ts";
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
      `${hostAndPort(issuer)} offers no device authorization endpoint (discovery).`,
      { remedy: say`Check ${option("issuer")}, or set ${option("deviceAuthorizationEndpoint")}.` },
    );
  }
  const problem = endpointProblem(endpoint, issuer, options.allowInsecureHttp);
  if (problem === undefined) return endpoint;
  throw new OidcError(
    "endpoint_invalid",
    `The device authorization endpoint cannot be used: ${problem}.`,
    {
      reason: "device_authorization_endpoint",
      remedy: say`Correct ${option("deviceAuthorizationEndpoint")}.`,
    },
  );
}

function contextOf(exchange: Exchange, step: string, deviceCode?: string): RequestContext {
  const { input, method, codeVerifier, requestedScopes, provider } = exchange;
  return {
    step,
    grantType,
    secretSent: method !== "none",
    secrets: [...secretsOf(input), deviceCode, codeVerifier],
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
  const { authenticatedSince } = exchange;
  if (members.idToken === undefined) {
    const host = hostAndPort(tokenEndpoint);
    await assertAuthenticationIsKnown(authenticatedSince, world.clock, host);
    // RFC 8628 section 3.5 asks for no ID token, and some servers give none.
    const isAsked = exchange.requestedScopes.includes("openid");
    if (metadata.source === "openid" && isAsked && members.scopes.includes("openid")) {
      world.onWarning(
        "id_token_missing",
        `${host} granted openid and gave no ID token, so it is not known who signed in (token request). The access token is good all the same.`,
      );
    }
  }
  return signInAnswer(world, provider, {
    members,
    tokenEndpoint,
    client: input,
    method,
    occasion: { kind: "device", authenticatedSince },
    signal,
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
  return new OidcError("device_code_expired", what, {
    ...details,
    remedy: "Sign in again: a new code is shown.",
  });
}

/** What the request for a code says. @see RFC 8628 section 3.1, RFC 7636 section 4.3 */
export function deviceParameters(
  input: DeviceInput,
  requestedScopes: readonly string[],
  codeVerifier: string | undefined,
): URLSearchParams {
  const parameters = targetParameters(input);
  if (requestedScopes.length > 0) parameters.set("scope", requestedScopes.join(" "));
  const more = { ...authenticationParameters(input), ...challengeParameters(codeVerifier) };
  for (const [name, value] of Object.entries(more)) parameters.set(name, value);
  // RFC 8628 section 3.1 wants it there, however the client proves itself.
  parameters.set("client_id", input.clientId);
  return parameters;
}

/** What a poll says. @see RFC 8628 section 3.4, RFC 7636 section 4.5 */
export function pollParameters(
  { audience, tokenResources, resources }: TokenTarget,
  deviceCode: string,
  codeVerifier: string | undefined,
): URLSearchParams {
  const parameters = targetParameters({ audience, resources: tokenResources ?? resources });
  if (codeVerifier !== undefined) parameters.set("code_verifier", codeVerifier);
  parameters.set("device_code", deviceCode);
  return parameters;
}

/**
 * What the answer to a poll says, where it is not the tokens; undefined where it may be, or is anything else.
 * @throws {OidcError} `device_code_expired`, `access_denied`.
 * @see RFC 8628 section 3.5
 */
export function readPoll(
  answer: HttpAnswer,
  issuer: string,
  context: RequestContext,
): Exclude<DevicePoll, { kind: "granted" }> | undefined {
  const body = readAnswerObject(answer);
  // The error decides, not the status: one large provider refuses with 200.
  const refusal = body.ok ? refusalIn(body.value, context.secrets) : undefined;
  if (!body.ok || refusal === undefined) return undefined;
  const { error } = refusal;
  if (error === "authorization_pending") return { kind: "pending" };
  if (error === "slow_down") {
    return { kind: "slow_down", intervalSeconds: parseInterval(body.value["interval"]) };
  }
  if (error === "expired_token") {
    throw deviceCodeExpired(hostAndPort(issuer), { providerError: error });
  }
  if (isRefusedByPerson(error)) {
    throw refusalError("access_denied", hostAndPort(answer.url), refusal, context);
  }
  return undefined;
}

/** One request with the device code. */
async function pollOnce(
  exchange: Exchange,
  deviceCode: string,
  signal: AbortSignal,
): Promise<DevicePoll> {
  const { world, provider, input, method, tokenEndpoint, requestedScopes } = exchange;
  const sentAt = Math.floor(nowSeconds(world.clock));
  const parameters = pollParameters(input, deviceCode, exchange.codeVerifier);
  const request = { tokenEndpoint, client: input, grantType, parameters, signal };
  const answer = await world.http.send(tokenRequest(request, method));
  const context = contextOf(exchange, pollStep, deviceCode);
  const waiting = readPoll(answer, provider.metadata.issuer, context);
  if (waiting !== undefined) return waiting;
  const members = await parseTokenMembers(await successfulBody(answer, context), {
    host: hostAndPort(tokenEndpoint),
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
  const parameters = deviceParameters(input, requestedScopes, codeVerifier);
  const asked = await withClientAuthentication(exchange.method, async (method) => {
    const request = { url: exchange.endpoint, step: deviceStep, client: input, parameters, signal };
    const answer = await world.http.send(authenticatedRequest(request, method));
    const context = contextOf({ ...exchange, method }, deviceStep);
    return parseDeviceMembers(await successfulBody(answer, context), {
      host: hostAndPort(answer.url),
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
