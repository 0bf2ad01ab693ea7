// The client credentials grant: a token for the client itself.

import { OidcError } from "../core/errors.ts";
import { option, say } from "../core/wording.ts";
import { chooseAuthenticationMethod } from "./client-authentication.ts";
import type { ClientIdentity } from "./client-authentication.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import type { TokenAnswer } from "./token-answer.ts";
import { answerFrom, requestTokens, targetParameters, tokenEndpointOf } from "./token-request.ts";
import type { TokenTarget } from "./token-request.ts";

/** What a client without a person needs. */
export interface ClientCredentialsInput extends ClientIdentity, TokenTarget {
  /** Undefined: none are sent. */
  readonly scopes: readonly string[] | undefined;
}

/** What the request says of the grant. @see RFC 6749 section 4.4.2 */
export function clientCredentialsParameters(
  input: Pick<ClientCredentialsInput, "scopes"> & TokenTarget,
): URLSearchParams {
  const parameters = targetParameters(input);
  const scope = (input.scopes ?? []).join(" ");
  if (scope !== "") parameters.set("scope", scope);
  return parameters;
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
    throw new OidcError("invalid_option", "Client credentials need a client secret.", {
      reason: "client_secret_missing",
      remedy: say`Set ${option("clientSecret")}.`,
    });
  }
  const { metadata } = provider;
  const tokenEndpoint = tokenEndpointOf(provider);
  const { tokenEndpointAuthenticationMethods: listed } = metadata;
  const { members, method } = await requestTokens(world, {
    tokenEndpoint,
    client: input,
    method: chooseAuthenticationMethod(listed, input),
    grantType: "client_credentials",
    parameters: clientCredentialsParameters(input),
    requestedScopes: input.scopes ?? [],
    listedScopes: metadata.scopesSupported,
    secrets: [],
    signal,
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
