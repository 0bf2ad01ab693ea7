// The proof key of a sign-in: a verifier that stays here, a challenge that goes out first. Changes when RFC 7636 gains a
// method.

import * as oauth from "oauth4webapi";
import type { ProviderWorld } from "./provider-types.ts";

/** RFC 7636 section 4.1 recommends 256 bits of randomness, which are 43 characters. */
const verifierBytes = 32;

/** A new code verifier. It is a secret until the token request. */
export function createCodeVerifier({ randomBytes }: Pick<ProviderWorld, "randomBytes">): string {
  return Buffer.from(randomBytes(verifierBytes)).toString("base64url");
}

/** What goes into the first request; nothing without a verifier. @see RFC 7636 section 4.3 */
export async function challengeParameters(
  codeVerifier: string | undefined,
): Promise<Record<string, string>> {
  if (codeVerifier === undefined) return {};
  return {
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: "S256",
  };
}
