// The ID token of a refresh, verified so that nothing but another person or a forgery costs the new refresh token.

import { nowSeconds } from "../core/clock.ts";
import { isErrorOf, isOidcError, wordingOf } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { idTokenTimes } from "../core/stored-id-token.ts";
import { say } from "../core/wording.ts";
import type { PreviousClaims } from "../keys/id-token-claims.ts";
import { noKeys } from "../keys/key-source.ts";
import type { ClientIdentity } from "./client-authentication.ts";
import { verifyIdToken } from "./id-token.ts";
import type { IdTokenExpectation, VerifiedIdToken } from "./id-token.ts";
import { openProviderForRefresh } from "./metadata.ts";
import type { ProviderOptions, ProviderWorld } from "./provider-types.ts";

/** What is known of the sign-in that is renewed. */
export interface RenewedSignIn extends ClientIdentity {
  readonly tokenEndpoint: string;
  /** Claims of the sign-in's ID token; undefined where there was none. */
  readonly previous: PreviousClaims | undefined;
  /** Where the keys are. */
  readonly options: ProviderOptions;
}

/**
 * Verifies an ID token whose time does not fit this machine's, as if it were looked at when it was issued.
 * @throws {OidcError} where more than the clocks is wrong.
 */
async function verifyAtItsTime(
  idToken: string,
  { clock }: ProviderWorld,
  expected: IdTokenExpectation,
): Promise<void> {
  const issuedAt = idTokenTimes(idToken)?.issuedAt ?? nowSeconds(clock);
  await verifyIdToken(idToken, { ...clock, now: () => issuedAt * 1000 }, expected);
}

/**
 * Verifies the ID token of a refresh. The request may have used up the old refresh token, so neither keys that can't be had
 * nor a clock that is wrong must cost the new one: the answer is then kept without its ID token, whose claims were still
 * compared.
 */
export async function verifyRefreshed(
  world: ProviderWorld,
  idToken: string,
  accessToken: string,
  input: RenewedSignIn,
  signal: AbortSignal | undefined,
): Promise<VerifiedIdToken | undefined> {
  const expected: IdTokenExpectation = {
    issuer: input.options.issuer,
    clientId: input.clientId,
    clientSecret: input.clientSecret,
    keys: noKeys,
    listedAlgorithms: undefined,
    accessToken,
    host: hostAndPort(input.tokenEndpoint),
    occasion: { kind: "refresh", previous: input.previous },
    signal,
  };
  let checked = expected;
  try {
    const provider = await openProviderForRefresh(world, input.options, signal);
    checked = {
      ...expected,
      keys: provider.keys,
      listedAlgorithms: provider.metadata.idTokenSigningAlgorithms,
    };
    return await verifyIdToken(idToken, world.clock, checked);
  } catch (error) {
    if (!isOidcError(error) || error.code === "subject_changed") throw error;
    const isRefused = error.code === "id_token_invalid";
    if (isRefused && !isErrorOf(error, "id_token_invalid", "id_token_time")) throw error;
    await verifyAtItsTime(idToken, world, isRefused ? checked : expected);
    world.onWarning(
      "id_token_unverified",
      say`The sign-in was renewed, but the new ID token could not be verified and was dropped: ${wordingOf(error)}`,
    );
    return undefined;
  }
}
