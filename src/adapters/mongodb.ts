// The entry point `latchkey/mongodb`: a credential as the mechanism MONGODB-OIDC of MongoDB's driver takes one.

import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What the driver says when it asks. */
export interface OidcCallbackParameters {
  /** Ends after the time that the driver waits: a minute, for a person five. */
  readonly timeoutContext: AbortSignal;
}

/** What the driver is given; any other member is an error to it. */
export interface OidcCallbackToken {
  accessToken: string;
  /** Undefined where the end is not known. */
  expiresInSeconds?: number;
}

/** At most so often does a question count as a refusal: several clients may share one callback. */
const refusalMilliseconds = 60_000;

/**
 * `authMechanismProperties: { OIDC_CALLBACK: oidcCallback(credential) }` for a program, `OIDC_HUMAN_CALLBACK` where a
 * person may have to sign in. One for each `MongoClient`.
 *
 * The driver keeps the token, and asks again once it ended or the server refused it (code 391) without saying which.
 * A question for a token that the driver was given and that is still valid therefore renews it, at most once a minute.
 * @throws {OidcError} the codes of {@link Credential.getToken}.
 */
export function oidcCallback(
  credential: Pick<Credential, "getToken">,
): (parameters: OidcCallbackParameters) => Promise<OidcCallbackToken> {
  let given: string | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;
  return async ({ timeoutContext: signal }) => {
    const mayBeRefused = performance.now() - refusedAt >= refusalMilliseconds;
    const rejectedToken = mayBeRefused ? given : undefined;
    const { token, expiresAt } = await credential.getToken({ rejectedToken, signal });
    if (rejectedToken !== undefined) refusedAt = performance.now();
    given = token;
    if (expiresAt === undefined) return { accessToken: token };
    const seconds = Math.floor((expiresAt.getTime() - Date.now()) / 1000);
    return { accessToken: token, expiresInSeconds: Math.max(0, seconds) };
  };
}
