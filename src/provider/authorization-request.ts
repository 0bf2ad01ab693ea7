// One attempt to sign in with a browser: the URL that opens it, and the exchange that ends it. Changes when the
// authorization request does.

import { createHash, timingSafeEqual } from "node:crypto";
import * as oauth from "oauth4webapi";
import { OidcError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { hostOf } from "../core/hosts.ts";
import { validateAuthorizationResponse } from "./authorization-response.ts";
import { endpointProblem } from "./endpoint.ts";
import type { Provider, ProviderMetadata, ProviderWorld } from "./provider-types.ts";
import { quirksOf } from "./quirks.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { exchangeCode } from "./token-endpoint.ts";

/** What a sign-in with a browser is made of. */
export interface AuthorizationInput {
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  /** Sent as it is. */
  readonly redirectUri: string;
  /** Undefined: `openid profile email`, or none where the provider lists scopes without `openid`. */
  readonly scopes: readonly string[] | undefined;
  readonly audience?: string | undefined;
  readonly pkce: boolean;
  readonly prompt?: string | undefined;
  readonly loginHint?: string | undefined;
  readonly offlineAccess: boolean;
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

const defaultScopes = ["openid", "profile", "email"];
// RFC 6749 section 10.10 wants 128 bits of randomness; RFC 7636 section 4.1 recommends 256 for the verifier.
const randomLength = 32;

// Names that this request sets or that would change what comes back. A caller who sets one of them here would
// contradict an option, or switch a protection off.
const ownParameters: ReadonlySet<string> = new Set([
  "response_type",
  "response_mode",
  "client_id",
  "client_secret",
  "redirect_uri",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "code_verifier",
  "request",
  "request_uri",
  "audience",
  "prompt",
  "login_hint",
  "code",
  "iss",
  "error",
]);

function assertExtraParameters(extra: Readonly<Record<string, string>>): void {
  const taken = Object.keys(extra).find((name) => ownParameters.has(name));
  if (taken === undefined) return;
  throw new OidcError(
    "invalid_option",
    `The option extraAuthorizationParams can't set ${taken}: Latchkey sets it itself. Use the option that is made for it, if there is one.`,
  );
}

/** @throws {OidcError} where no authorization request can be made, before any browser opens. */
function authorizationEndpointOf(provider: Provider): string {
  const { metadata, options } = provider;
  const { authorizationEndpoint: endpoint, issuer } = metadata;
  if (endpoint === undefined) {
    throw new OidcError(
      "no_interactive_flow",
      `${hostOf(issuer)} offers no authorization endpoint, so nobody can sign in there with a browser (discovery). Check issuer, or set authorizationEndpoint.`,
    );
  }
  const problem = endpointProblem(endpoint, issuer, options.allowInsecureHttp);
  if (problem !== undefined) {
    throw new OidcError(
      "endpoint_invalid",
      `The authorization endpoint can't be used: ${problem}. Correct authorizationEndpoint.`,
      { reason: "authorization_endpoint" },
    );
  }
  // RFC 9126 section 5: such a provider accepts nothing that came through the browser alone.
  if (metadata.pushedAuthorizationRequired) {
    throw new OidcError(
      "authorization_failed",
      `${hostOf(issuer)} accepts pushed authorization requests alone (RFC 9126), which this version does not make. Ask its administrator to lift that for this client.`,
      { reason: "par_required" },
    );
  }
  return endpoint;
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

function isSameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/**
 * Prepares one attempt to sign in. It makes no request.
 * @throws {OidcError} `no_interactive_flow`, `endpoint_invalid`, `authorization_failed` (reason `par_required`),
 * `invalid_option`.
 * @see RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core section 3.1.2.1
 */
export async function createAuthorizationAttempt(
  world: ProviderWorld,
  provider: Provider,
  input: AuthorizationInput,
): Promise<AuthorizationAttempt> {
  const { metadata } = provider;
  const endpoint = authorizationEndpointOf(provider);
  const extra = input.extraParameters ?? {};
  assertExtraParameters(extra);

  const random = (): string => Buffer.from(world.randomBytes(randomLength)).toString("base64url");
  const requestedScopes = scopesOf(input, metadata);
  const state = random();
  const nonce = requestedScopes.includes("openid") ? random() : undefined;
  const codeVerifier = input.pkce ? random() : undefined;

  const parameters: Record<string, string | undefined> = {
    ...(input.offlineAccess ? parametersForOfflineAccess(metadata.issuer) : {}),
    ...extra,
    response_type: "code",
    client_id: input.clientId,
    redirect_uri: input.redirectUri,
    scope: requestedScopes.length === 0 ? undefined : requestedScopes.join(" "),
    state,
    nonce,
    audience: input.audience,
    login_hint: input.loginHint,
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
    ...(codeVerifier === undefined
      ? {}
      : {
          code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: "S256",
        }),
  };
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) {
    // RFC 6749 section 3.1: the endpoint's own query "MUST be retained", and no name stands there twice.
    if (value !== undefined) url.searchParams.set(name, value);
  }

  let isUsed = false;
  return {
    url: url.href,
    requestedScopes,
    isExpectedState: (candidate) => isSameText(candidate, state),
    exchange: async (response, signal) => {
      const [candidate = "", ...more] = response.getAll("state");
      if (!isSameText(candidate, state)) {
        throw new OidcError(
          "state_mismatch",
          "The answer that came back through the browser belongs to another sign-in. Use the newest tab, or sign in again.",
        );
      }
      if (isUsed) {
        throw new OidcError(
          "callback_invalid",
          "This sign-in has had its answer already; a second one is not looked at. Sign in again.",
          { reason: "already_used" },
        );
      }
      isUsed = true;
      const secrets = [state, ...more, nonce, codeVerifier, input.clientSecret?.reveal()];
      const validated = validateAuthorizationResponse(response, metadata, input.clientId, {
        secretSent: input.clientSecret !== undefined,
        secrets,
      });
      return exchangeCode(
        world,
        provider,
        {
          clientId: input.clientId,
          clientSecret: input.clientSecret,
          parameters: validated,
          redirectUri: input.redirectUri,
          codeVerifier,
          nonce,
          state,
          requestedScopes,
          audience: input.audience,
        },
        signal,
      );
    },
  };
}
