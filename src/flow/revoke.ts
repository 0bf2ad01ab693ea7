// Tells the provider that a sign-in is over. Changes when what is revoked does.

import { isOidcError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { revokeToken } from "../provider/revocation-endpoint.ts";
import type { SessionRecord } from "../record/format.ts";
import type { FlowWorld } from "./flow-world.ts";
import { knownEndpoints } from "./known-endpoints.ts";
import { clientIdentity } from "./provider-input.ts";
import type { SignInInput } from "./sign-in-config.ts";

/** What became of a sign-in at the provider. */
export interface RevokedSignIn {
  readonly revoked: "yes" | "unsupported" | "failed";
  /** The refresh token was revoked, and the provider revokes no access tokens: this one ends by itself. */
  readonly accessTokenStays: boolean;
}

/**
 * Revokes the refresh token, then the access token, of a sign-in that is already forgotten here. Never rejects for
 * what the provider does: the local part is done.
 * @see RFC 7009 section 2: servers "MUST support the revocation of refresh tokens and SHOULD support the revocation of
 * access tokens". Where they do not, the sign-in has ended all the same.
 */
export async function revokeSignIn(
  world: FlowWorld,
  input: Pick<SignInInput, "config" | "settings">,
  record: SessionRecord,
  signal: AbortSignal,
): Promise<RevokedSignIn> {
  let revocationEndpoint: string | undefined;
  try {
    ({ revocationEndpoint } = await knownEndpoints(world, input, record, signal));
  } catch (error) {
    if (isOidcError(error)) return { revoked: "failed", accessTokenStays: false };
    throw error;
  }
  if (revocationEndpoint === undefined) return { revoked: "unsupported", accessTokenStays: false };
  // Without a refresh token nothing else ties the further access tokens together.
  const others = record.refreshToken === undefined ? (record.otherAccessTokens ?? []) : [];
  const tokens = [
    record.refreshToken && { token: record.refreshToken, tokenTypeHint: "refresh_token" as const },
    ...[record.accessToken, ...others].map(
      (each) => each && { token: each.token, tokenTypeHint: "access_token" as const },
    ),
  ].filter((each) => each !== undefined && each !== "" && each !== null);
  let outcome: "yes" | "unsupported" | "failed" = "yes";
  let isGrantRevoked = false;
  let accessTokenStays = false;
  let { authenticationMethod } = record;
  for (const { token, tokenTypeHint } of tokens) {
    const { outcome: revoked, method } = await revokeToken(
      world,
      {
        revocationEndpoint,
        ...clientIdentity(input.config),
        authenticationMethod,
        token: new Secret(token),
        tokenTypeHint,
        isGrantRevoked,
      },
      signal,
    );
    authenticationMethod = method;
    if (isGrantRevoked && revoked === "unsupported") {
      accessTokenStays = true;
      continue;
    }
    // A failure is told, whatever became of the other tokens (C13): that token may still be good.
    if (revoked !== "yes" && outcome !== "failed") outcome = revoked;
    if (revoked === "yes" && tokenTypeHint === "refresh_token") isGrantRevoked = true;
  }
  return { revoked: outcome, accessTokenStays };
}
