// The entry point `latchkey/nats`: a credential for the token authenticator of NATS' clients, which cannot wait.

import { OidcError } from "../core/errors.ts";
import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/**
 * `authenticator: tokenAuthenticator(await tokenSource(credential))`: signs in, then gives the token that is valid at
 * each connection, without waiting. It is renewed ahead for as long as the program runs and the credential is open.
 * @throws {OidcError} the codes of {@link Credential.getToken}; the function itself: `login_required` (reason
 * `no_token`) where the token has ended, and could not be renewed.
 */
export async function tokenSource(
  credential: Pick<Credential, "getToken" | "peek" | "subscribe">,
): Promise<() => string> {
  await credential.getToken();
  // Whoever wants to be told of tokens has them renewed.
  credential.subscribe(() => undefined);
  return () => {
    const token = credential.peek()?.token;
    if (token !== undefined) return token;
    throw new OidcError("login_required", "The token has ended and could not be renewed in time.", {
      reason: "no_token",
      remedy: "Call `getToken` of the credential: it renews the token, or says why it cannot.",
    });
  };
}
