// What a refused request asks of sign-ins: types alone.

import type { AccessToken, GetTokenOptions } from "../core/types.ts";

/** What a challenge wants of the person (RFC 9470). */
export type StepUp = Pick<GetTokenOptions, "acrValues" | "maxAgeSeconds">;

/** A refusal, as far as it says what to do about it. */
export interface ResourceRefusal {
  readonly url: URL;
  /** Where the resource says what it is; undefined: it does not say where. */
  readonly metadataAddress: string | undefined;
  /** The scopes that it wants. */
  readonly scopes: readonly string[] | undefined;
  /** The token that it refused; undefined where none was sent. */
  readonly refused: AccessToken | undefined;
  /** What it wants of the person. */
  readonly stepUp: StepUp | undefined;
  /** Whether the token is good, but for its scopes. */
  readonly isTooNarrow: boolean;
}

/** Signs in at the provider that a resource names. */
export interface ResourceSignIn {
  /** What is cached for an address, renewed where it has to be, nobody being asked; undefined: nobody has signed in. */
  cached(
    url: URL,
    rejectedToken: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | undefined>;
  /**
   * Reads anew which provider the resource names, and has the person sign in there; undefined where that would bring
   * nothing new.
   */
  signIn(
    refusal: ResourceRefusal,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | undefined>;
}
