// The entry point `latchkey/azure`: a credential as what clients of the @azure/* packages call a TokenCredential.

import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What such a client cancels by: an `AbortSignal`, or something like one. */
export interface AzureAbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What such a client says when it asks for a token. */
export interface AzureGetTokenOptions {
  readonly abortSignal?: AzureAbortSignal | undefined;
  /** A claims challenge: the server wants a token that is newer than the one that it was sent. */
  readonly claims?: string | undefined;
}

/** What it is given. */
export interface AzureAccessToken {
  readonly token: string;
  /** In milliseconds since the epoch. */
  readonly expiresOnTimestamp: number;
  readonly tokenType: "Bearer";
}

/** As `TokenCredential` of `@azure/core-auth`. */
export interface AzureTokenCredential {
  getToken(scopes: string | string[], options?: AzureGetTokenOptions): Promise<AzureAccessToken>;
}

/** What {@link tokenCredential} can be told. */
export interface TokenCredentialSettings {
  /**
   * Whether the scopes that the client names are asked for, as another token of the same sign-in. Default true. False:
   * the scopes of the credential's own configuration, whatever the client names.
   */
  readonly useClientScopes?: boolean;
}

/** A token without a known end is asked for again after five minutes; the credential then knows whether it is still good. */
const unknownLifetimeMilliseconds = 300_000;

/** The signal of `getToken`, and the way to let go of the client's. */
function followed(given: AzureAbortSignal | undefined): {
  readonly signal: AbortSignal | undefined;
  readonly release: () => void;
} {
  if (given === undefined) return { signal: undefined, release: () => undefined };
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (given.aborted) abort();
  given.addEventListener("abort", abort);
  return {
    signal: controller.signal,
    release: () => given.removeEventListener("abort", abort),
  };
}

/**
 * A credential for the clients of the `@azure/*` packages, and whatever takes a `TokenCredential`.
 *
 * A claims challenge (continuous access evaluation) renews the token; the challenge itself is not sent to the provider.
 * @throws {OidcError} from its `getToken`: the codes of {@link Credential.getToken}.
 */
export function tokenCredential(
  credential: Pick<Credential, "getToken">,
  { useClientScopes = true }: TokenCredentialSettings = {},
): AzureTokenCredential {
  return {
    async getToken(scopes, { abortSignal, claims } = {}) {
      const { signal, release } = followed(abortSignal);
      try {
        const { token, expiresAt } = await credential.getToken({
          scopes: useClientScopes ? [scopes].flat() : undefined,
          forceRefresh: claims !== undefined,
          signal,
        });
        const end = expiresAt?.getTime() ?? Date.now() + unknownLifetimeMilliseconds;
        return { token, expiresOnTimestamp: end, tokenType: "Bearer" };
      } finally {
        release();
      }
    },
  };
}
