// Tells the provider that a token is no longer wanted. Changes when RFC 7009 is read differently.

import * as oauth from "oauth4webapi";
import { isOidcError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { readJsonObject } from "../http/json-body.ts";
import { authenticateClient, fittingMethod } from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { sendRequest } from "./protocol-fetch.ts";
import type { ProviderWorld } from "./provider-types.ts";

/** What a revocation needs. */
export interface RevocationInput extends ClientIdentity {
  /** Undefined: the provider has none, and the outcome is "unsupported". */
  readonly revocationEndpoint: string | undefined;
  readonly issuer: string;
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly token: Secret;
  readonly tokenTypeHint: "refresh_token" | "access_token";
  /** True where the refresh token that this token came with was revoked just before. Default false. */
  readonly isGrantRevoked?: boolean;
}

/**
 * Revokes one token. 200 for a token that the provider does not know is success: it is not valid there, which was the
 * wish (RFC 7009 section 2.2).
 * @returns "failed" for whatever went wrong: forgetting locally must not depend on it.
 * @throws {OidcError} `aborted` alone.
 * @see RFC 7009 section 2
 */
export async function revokeToken(
  world: ProviderWorld,
  input: RevocationInput,
  signal?: AbortSignal,
): Promise<"yes" | "unsupported" | "failed"> {
  const { revocationEndpoint, issuer, clientId, clientSecret } = input;
  if (revocationEndpoint === undefined) return "unsupported";
  const method = fittingMethod(input.authenticationMethod, clientSecret);
  try {
    const answer = await sendRequest(world.http, { step: "revocation", signal }, (options) =>
      oauth.revocationRequest(
        { issuer, revocation_endpoint: revocationEndpoint },
        { client_id: clientId },
        authenticateClient(method, input),
        input.token.reveal(),
        { ...options, additionalParameters: { token_type_hint: input.tokenTypeHint } },
      ),
    );
    if (answer.status === 200) return "yes";
    const body = readJsonObject(answer);
    // RFC 7009 section 2.2.1: the server does not revoke tokens of this kind.
    const unsupported = body.ok && body.value["error"] === "unsupported_token_type";
    if (unsupported) return "unsupported";
    // RFC 7009 section 2.1: with the refresh token the server "SHOULD also invalidate all access tokens based on the
    // same authorization grant". Some then answer 400 for such an access token, though section 2.2 wants 200.
    return input.isGrantRevoked === true && answer.status === 400 ? "yes" : "failed";
  } catch (error) {
    if (isOidcError(error) && error.code !== "aborted") return "failed";
    throw error;
  }
}
