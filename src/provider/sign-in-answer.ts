// The answer of a sign-in, whichever flow it came by: its ID token is verified, should it have one.

import { hostAndPort } from "../core/hosts.ts";
import type { Occasion } from "../keys/id-token-claims.ts";
import type { ClientAuthenticationMethod, ClientIdentity } from "./client-authentication.ts";
import { verifyIdToken } from "./id-token.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";
import type { TokenAnswer, TokenMembers } from "./token-answer.ts";
import { answerFrom } from "./token-request.ts";

/** What came, and of what request. */
export interface SignInAnswer {
  readonly members: TokenMembers;
  readonly tokenEndpoint: string;
  readonly client: ClientIdentity;
  /** As the provider took it. */
  readonly method: ClientAuthenticationMethod;
  /** The code that was exchanged, for `c_hash`. */
  readonly code?: string | undefined;
  readonly occasion: Occasion;
  readonly signal: AbortSignal | undefined;
}

/**
 * Verifies the ID token of a sign-in, and puts its answer together with what the provider says of itself.
 * @throws {OidcError} `id_token_invalid`, and what fetching keys throws.
 */
export async function signInAnswer(
  world: ProviderWorld,
  { metadata, keys }: Provider,
  answer: SignInAnswer,
): Promise<TokenAnswer> {
  const { members, tokenEndpoint, client, code, occasion, signal } = answer;
  const { idToken, accessToken } = members;
  const verified =
    idToken === undefined
      ? undefined
      : await verifyIdToken(idToken, world.clock, {
          issuer: metadata.issuer,
          clientId: client.clientId,
          clientSecret: client.clientSecret,
          keys,
          listedAlgorithms: metadata.idTokenSigningAlgorithms,
          accessToken,
          code,
          host: hostAndPort(tokenEndpoint),
          occasion,
          signal,
        });
  return answerFrom(members, verified, {
    authenticationMethod: answer.method,
    tokenEndpoint,
    issuer: metadata.issuer,
    refreshToken: members.refreshToken,
    userinfoEndpoint: metadata.userinfoEndpoint,
    revocationEndpoint: metadata.revocationEndpoint,
    endSessionEndpoint: metadata.endSessionEndpoint,
  });
}
