// One attempt to sign in with a browser: the URL that opens it, and the exchange that ends it.

import { createHash, timingSafeEqual } from "node:crypto";
import { OidcError } from "../core/errors.ts";
import { nowSeconds, type Clock } from "../core/clock.ts";
import { defaultScopes } from "../core/default-scopes.ts";
import { hostAndPort } from "../core/hosts.ts";
import { ownParameters } from "../core/own-parameters.ts";
import { option, say } from "../core/wording.ts";
import type { ClientIdentity } from "./client-authentication.ts";
import { readAuthorizationResponse } from "./authorization-response.ts";
import { exchangeCode } from "./code-exchange.ts";
import { endpointProblem } from "./endpoint.ts";
import type { Provider, ProviderMetadata, ProviderWorld } from "./provider-types.ts";
import { pushAuthorizationRequest } from "./pushed-authorization.ts";
import type { PushedAuthorization } from "./pushed-authorization.ts";
import { challengeParameters, createCodeVerifier } from "./proof-key.ts";
import { quirksOf } from "./quirks.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { targetParameters } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What a sign-in with a browser is made of. */
export interface AuthorizationInput extends ClientIdentity, TokenTarget {
  /** Sent as it is. */
  readonly redirectUri: string;
  /** Undefined: `openid profile email`, or none where the provider lists scopes without `openid`. */
  readonly scopes: readonly string[] | undefined;
  readonly pkce: boolean;
  readonly prompt?: string | undefined;
  /** How long ago the person may have authenticated; the ID token must say so. */
  readonly maxAgeSeconds?: number | undefined;
  /** In order of preference. */
  readonly acrValues?: readonly string[] | undefined;
  readonly loginHint?: string | undefined;
  readonly offlineAccess: boolean;
  /** How the answer comes back; undefined: in the address, which is the default of the code flow. */
  readonly responseMode?: "query" | "form_post" | undefined;
  readonly extraParameters?: Readonly<Record<string, string>> | undefined;
}

/** One attempt. It is good for one response. */
export interface AuthorizationAttempt {
  /** For the browser. No secret and no verifier is in it. */
  readonly url: string;
  readonly requestedScopes: readonly string[];
  /** True for this attempt's `state`, compared in constant time. */
  isExpectedState(candidate: string): boolean;
  /**
   * Validates the authorization response, exchanges its code and verifies the ID token.
   * @throws {OidcError} `state_mismatch`, `callback_invalid`, `access_denied`, `authorization_failed`,
   * `token_request_failed`, `token_response_invalid`, `id_token_invalid`, and what the transport throws.
   */
  exchange(parameters: URLSearchParams, signal?: AbortSignal): Promise<TokenAnswer>;
}

// RFC 6749 section 10.10 wants 128 bits of randomness.
const randomLength = 32;

function assertExtraParameters(extra: Readonly<Record<string, string>>): void {
  const taken = Object.keys(extra).find((name) => ownParameters.has(name));
  if (taken === undefined) return;
  throw new OidcError(
    "invalid_option",
    say`${option("extraAuthorizationParams")} cannot set ${taken}: Latchkey sets it itself.`,
    { remedy: "Use the option that is made for it, if there is one." },
  );
}

/** @throws {OidcError} where no authorization request can be made, before any browser opens. */
function authorizationEndpointOf(provider: Provider): string {
  const { metadata, options } = provider;
  const { authorizationEndpoint: endpoint, issuer } = metadata;
  if (endpoint === undefined) {
    throw new OidcError(
      "no_interactive_flow",
      `${hostAndPort(issuer)} offers no authorization endpoint, so nobody can sign in there with a browser (discovery).`,
      { remedy: say`Check ${option("issuer")}, or set ${option("authorizationEndpoint")}.` },
    );
  }
  const problem = endpointProblem(endpoint, issuer, options.allowInsecureHttp);
  if (problem !== undefined) {
    throw new OidcError(
      "endpoint_invalid",
      `The authorization endpoint cannot be used: ${problem}.`,
      {
        reason: "authorization_endpoint",
        remedy: say`Correct ${option("authorizationEndpoint")}.`,
      },
    );
  }
  return endpoint;
}

/**
 * A provider that lists its response modes has said what it will not do: whoever asks for another one waits in vain for
 * the answer. Where it lists none, it is tried: the list may be left out.
 * @throws {OidcError} `authorization_failed`, before any browser opens.
 * @see OpenID Connect Discovery section 3, RFC 8414 section 2
 */
function assertResponseMode(input: AuthorizationInput, metadata: ProviderMetadata): void {
  const listed = metadata.responseModesSupported;
  if (input.responseMode !== "form_post" || listed?.includes("form_post") !== false) return;
  throw new OidcError(
    "authorization_failed",
    `${hostAndPort(metadata.issuer)} does not list the response mode form_post among those that it supports (discovery), so its answer would not come as a form.`,
    {
      reason: "response_mode_unsupported",
      remedy: say`Set ${option("responseMode", "query")}.`,
    },
  );
}

/** The scopes to ask for: the caller's, else the usual ones where the provider does not list others. */
export function scopesOf(
  input: Pick<AuthorizationInput, "scopes" | "offlineAccess">,
  metadata: ProviderMetadata,
): readonly string[] {
  const listed = metadata.scopesSupported;
  const fallback = listed === undefined || listed.includes("openid") ? defaultScopes : [];
  const scopes = new Set(input.scopes ?? fallback);
  const { offlineAccessParameters } = quirksOf(metadata.issuer);
  if (input.offlineAccess && offlineAccessParameters === undefined) scopes.add("offline_access");
  return [...scopes];
}

function parametersForOfflineAccess(issuer: string): Readonly<Record<string, string>> {
  // OpenID Connect Core section 11: without consent "the Authorization Server MUST ignore the offline_access request".
  return { prompt: "consent", ...quirksOf(issuer).offlineAccessParameters };
}

/** What asks for a certain way or time of authentication (OpenID Connect Core section 3.1.2.1). */
export function authenticationParameters(
  input: Pick<AuthorizationInput, "maxAgeSeconds" | "acrValues">,
): Record<string, string> {
  const { maxAgeSeconds, acrValues } = input;
  return {
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    ...(acrValues === undefined ? {} : { acr_values: acrValues.join(" ") }),
  };
}

/** When the person must have authenticated, for a request that is made now; in seconds since the epoch. */
export function authenticatedSinceOf(
  clock: Clock,
  maxAgeSeconds: number | undefined,
): number | undefined {
  return maxAgeSeconds === undefined ? undefined : nowSeconds(clock) - maxAgeSeconds;
}

/** What one attempt alone has. */
interface AttemptSecrets {
  readonly state: string;
  readonly nonce: string | undefined;
  readonly codeVerifier: string | undefined;
  readonly scopes: readonly string[];
}

/**
 * The authorization request's parameters, wherever they go.
 * @see RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2.1, OpenID Connect Core section 3.1.2.1
 */
export function authorizationParameters(
  input: AuthorizationInput,
  { state, nonce, codeVerifier, scopes }: AttemptSecrets,
  issuer: string,
): URLSearchParams {
  const named: Record<string, string | undefined> = {
    ...(input.offlineAccess ? parametersForOfflineAccess(issuer) : {}),
    ...input.extraParameters,
    response_type: "code",
    // OAuth 2.0 Multiple Response Type Encoding Practices section 2.1: the default mode is better left out.
    response_mode: input.responseMode === "form_post" ? "form_post" : undefined,
    client_id: input.clientId,
    redirect_uri: input.redirectUri,
    scope: scopes.length === 0 ? undefined : scopes.join(" "),
    state,
    nonce,
    ...authenticationParameters(input),
    login_hint: input.loginHint,
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
    ...challengeParameters(codeVerifier),
  };
  const parameters = targetParameters(input);
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined) parameters.set(name, value);
  }
  return parameters;
}

/** The address for the browser. */
function addressOf(endpoint: string, parameters: URLSearchParams): string {
  const url = new URL(endpoint);
  // RFC 6749 section 3.1: the endpoint's own query "MUST be retained", and no name stands there twice by accident.
  for (const name of new Set(parameters.keys())) url.searchParams.delete(name);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url.href;
}

function isSameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/**
 * Prepares one attempt to sign in. It makes no request, but one where the provider wants the parameters pushed.
 * @throws {OidcError} `no_interactive_flow`, `endpoint_invalid`, `authorization_failed`, `invalid_option`, and where a
 * request is made what the transport throws.
 * @see RFC 6749 section 4.1.1, RFC 7636, RFC 8707 section 2.1, RFC 9126, OpenID Connect Core section 3.1.2.1
 */
export async function createAuthorizationAttempt(
  world: ProviderWorld,
  provider: Provider,
  input: AuthorizationInput,
  signal?: AbortSignal,
): Promise<AuthorizationAttempt> {
  const { metadata } = provider;
  const endpoint = authorizationEndpointOf(provider);
  assertExtraParameters(input.extraParameters ?? {});
  assertResponseMode(input, metadata);

  const random = (): string => Buffer.from(world.randomBytes(randomLength)).toString("base64url");
  const requestedScopes = scopesOf(input, metadata);
  const state = random();
  const wantsNonce =
    requestedScopes.includes("openid") && quirksOf(metadata.issuer).omitsNonce !== true;
  const nonce = wantsNonce ? random() : undefined;
  const codeVerifier = input.pkce ? createCodeVerifier(world) : undefined;

  const authenticatedSince = authenticatedSinceOf(world.clock, input.maxAgeSeconds);
  const parameters = authorizationParameters(
    input,
    { state, nonce, codeVerifier, scopes: requestedScopes },
    metadata.issuer,
  );
  let pushed: PushedAuthorization | undefined;
  // RFC 9126 section 5: such a provider accepts nothing that came through the browser alone.
  if (metadata.pushedAuthorizationRequired) {
    const secrets = [state, nonce, codeVerifier];
    pushed = await pushAuthorizationRequest(world, provider, input, {
      parameters,
      secrets,
      requestedScopes,
      signal,
    });
  }
  // RFC 9126 section 4: the browser's request has the client and the reference, and nothing else of ours (A13).
  const carried =
    pushed === undefined
      ? parameters
      : new URLSearchParams({ client_id: input.clientId, request_uri: pushed.requestUri });

  let isUsed = false;
  return {
    url: addressOf(endpoint, carried),
    requestedScopes,
    isExpectedState: (candidate) => isSameText(candidate, state),
    exchange: async (response, exchangeSignal) => {
      const [candidate = "", ...more] = response.getAll("state");
      if (!isSameText(candidate, state)) {
        throw new OidcError(
          "state_mismatch",
          "The answer that came back through the browser belongs to another sign-in.",
          { remedy: "Use the newest tab, or sign in again." },
        );
      }
      if (isUsed) {
        throw new OidcError(
          "callback_invalid",
          "This sign-in has had its answer already; a second one is not looked at.",
          { reason: "already_used", remedy: "Sign in again." },
        );
      }
      isUsed = true;
      const secrets = [state, ...more, nonce, codeVerifier, input.clientSecret?.reveal()];
      const code = readAuthorizationResponse(response, metadata, {
        secretSent: input.clientSecret !== undefined,
        secrets,
        requestedScopes,
      });
      return exchangeCode(
        world,
        provider,
        {
          clientId: input.clientId,
          clientSecret: input.clientSecret,
          knownMethod: input.knownMethod,
          code,
          redirectUri: input.redirectUri,
          codeVerifier,
          nonce,
          state,
          requestedScopes,
          audience: input.audience,
          resources: input.tokenResources ?? input.resources,
          authenticatedSince,
          authenticationMethod: pushed?.authenticationMethod,
        },
        exchangeSignal,
      );
    },
  };
}
