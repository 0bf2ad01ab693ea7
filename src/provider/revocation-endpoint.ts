// Tells the provider that a token is no longer wanted (RFC 7009).

import { isOidcError, OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import type { Secret } from "../core/secret.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import { readAnswerObject } from "./answer-body.ts";
import {
  authenticatedRequest,
  fittingMethod,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { missesClient, reasonOf } from "./error-words-meaning.ts";
import type { ProviderWorld } from "./provider-types.ts";
import { reasonInOwnWords, refusalIn } from "./refusal.ts";

/** What a revocation needs. */
export interface RevocationInput extends ClientIdentity {
  /** Undefined: the provider has none, and the outcome is "unsupported". */
  readonly revocationEndpoint: string | undefined;
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly token: Secret;
  readonly tokenTypeHint: "refresh_token" | "access_token";
  /** True where the refresh token that this token came with was revoked just before. Default false. */
  readonly isGrantRevoked?: boolean;
}

type Outcome = "yes" | "unsupported" | "failed";

/** What a revocation came to. */
export interface Revocation {
  /** "failed" for whatever went wrong: forgetting locally must not depend on it. */
  readonly outcome: Outcome;
  /** The method that the endpoint took, or the first choice. */
  readonly method: ClientAuthenticationMethod;
}

/** The request. @see RFC 7009 section 2.1 */
export function revocationRequest(
  input: Pick<RevocationInput, "clientId" | "clientSecret" | "token" | "tokenTypeHint"> & {
    readonly revocationEndpoint: string;
  },
  method: ClientAuthenticationMethod,
  signal: AbortSignal | undefined,
): HttpRequest {
  const parameters = new URLSearchParams({
    token_type_hint: input.tokenTypeHint,
    token: input.token.reveal(),
  });
  const url = input.revocationEndpoint;
  return authenticatedRequest(
    { url, step: "revocation", client: input, parameters, signal },
    method,
  );
}

/**
 * What an answer means. "client": the client did not get through, so that nothing is known of the token.
 * @see RFC 7009 sections 2.2 and 2.2.1
 */
export function readRevocation(
  answer: HttpAnswer,
  {
    method,
    isGrantRevoked = false,
  }: {
    readonly method: ClientAuthenticationMethod;
    readonly isGrantRevoked?: boolean | undefined;
  },
): Outcome | "client" {
  const body = readAnswerObject(answer);
  const refusal = body.ok ? refusalIn(body.value, []) : undefined;
  const error = refusal?.error;
  // RFC 7009 section 2.2.1: the server does not revoke tokens of this kind.
  if (error === "unsupported_token_type") return "unsupported";
  const words = refusal?.description ?? (body.ok ? reasonInOwnWords(body.value, []) : undefined);
  const isUnseen =
    method === "client_secret_basic" && answer.status >= 400 && missesClient(words ?? "");
  if (isUnseen || (error !== undefined && reasonOf(error) === "invalid_client")) return "client";
  // The error decides, not the status: some providers refuse with 200. That the token is not one any more is not a
  // refusal, also where a provider says so in words (RFC 7009 section 2.2).
  if (answer.status === 200) {
    return error === undefined || error === "invalid_token" ? "yes" : "failed";
  }
  // RFC 7009 section 2.1: with the refresh token the server "SHOULD also invalidate all access tokens based on the
  // same authorization grant". Some then answer 400 for such an access token, though section 2.2 wants 200.
  return isGrantRevoked && answer.status === 400 ? "yes" : "failed";
}

/** One request. @throws {OidcError} reason `invalid_client` where the client did not get through, and transport codes. */
async function revokeOnce(
  world: ProviderWorld,
  input: RevocationInput & { readonly revocationEndpoint: string },
  method: ClientAuthenticationMethod,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const answer = await world.http.send(revocationRequest(input, method, signal));
  const { isGrantRevoked } = input;
  const outcome = readRevocation(answer, { method, isGrantRevoked });
  if (outcome !== "client") return outcome;
  throw new OidcError(
    "token_request_failed",
    `${hostAndPort(answer.url)} does not take the client's secret this way (revocation).`,
    { reason: "invalid_client" },
  );
}

/**
 * Revokes one token. 200 for a token that the provider does not know is success: it is not valid there, which was the
 * wish (RFC 7009 section 2.2). Where the endpoint wants the secret in the other place than the token endpoint, it gets
 * it there, once.
 * @throws {OidcError} `aborted` alone.
 * @see RFC 7009 section 2
 */
export async function revokeToken(
  world: ProviderWorld,
  input: RevocationInput,
  signal?: AbortSignal,
): Promise<Revocation> {
  const { revocationEndpoint } = input;
  const first = fittingMethod(input.authenticationMethod, input.clientSecret);
  if (revocationEndpoint === undefined) return { outcome: "unsupported", method: first };
  try {
    const { result, method } = await withClientAuthentication(first, async (each) =>
      revokeOnce(world, { ...input, revocationEndpoint }, each, signal),
    );
    return { outcome: result, method };
  } catch (error) {
    if (isOidcError(error) && error.code !== "aborted") return { outcome: "failed", method: first };
    throw error;
  }
}
