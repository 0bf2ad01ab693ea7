// The authorization code grant: one request with the code, and the ID token in its answer.

import { hostAndPort } from "../core/hosts.ts";
import type { AuthenticationTime } from "../keys/id-token-claims.ts";
import { chooseAuthenticationMethod } from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { assertAuthenticationIsKnown, refuseMissingIdToken } from "./id-token.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import { signInAnswer } from "./sign-in-answer.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { requestTokens, targetParameters, tokenEndpointOf } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What the code exchange needs besides the provider. */
export interface CodeExchange extends ClientIdentity, TokenTarget, AuthenticationTime {
  /** As the provider took it for this sign-in already; undefined: chosen by metadata. */
  readonly authenticationMethod: ClientAuthenticationMethod | undefined;
  /** Out of an authorization response that was validated. */
  readonly code: string;
  readonly redirectUri: string;
  readonly codeVerifier: string | undefined;
  readonly nonce: string | undefined;
  readonly state: string;
  readonly requestedScopes: readonly string[];
}

/** What the request says of the grant. @see RFC 6749 section 4.1.3, RFC 7636 section 4.5, RFC 8707 section 2.2 */
export function codeParameters(
  input: Pick<CodeExchange, "code" | "redirectUri" | "codeVerifier"> & TokenTarget,
): URLSearchParams {
  const parameters = targetParameters(input);
  parameters.set("redirect_uri", input.redirectUri);
  parameters.set("code", input.code);
  if (input.codeVerifier !== undefined) parameters.set("code_verifier", input.codeVerifier);
  return parameters;
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
  const { code, nonce, authenticatedSince } = input;
  const tokenEndpoint = tokenEndpointOf(provider);
  const { tokenEndpointAuthenticationMethods: listed } = metadata;
  const { members, method } = await requestTokens(world, {
    tokenEndpoint,
    client: input,
    method: input.authenticationMethod ?? chooseAuthenticationMethod(listed, input),
    grantType: "authorization_code",
    parameters: codeParameters(input),
    requestedScopes: input.requestedScopes,
    listedScopes: metadata.scopesSupported,
    secrets: [code, input.codeVerifier, input.state, nonce],
    signal,
  });
  if (members.idToken === undefined) {
    const host = hostAndPort(tokenEndpoint);
    // Where nobody asked for one, none is missing, whatever the provider says that it granted.
    const isAsked = input.requestedScopes.includes("openid");
    if (metadata.source === "openid" && isAsked && members.scopes.includes("openid")) {
      await refuseMissingIdToken(host, world.clock);
    }
    await assertAuthenticationIsKnown(authenticatedSince, world.clock, host);
  }
  return signInAnswer(world, provider, {
    members,
    tokenEndpoint,
    client: input,
    method,
    code,
    occasion: { kind: "login", nonce, authenticatedSince },
    signal,
  });
}
