// The proof key of a sign-in: a verifier that stays here, a challenge that goes out first.

import { createHash } from "node:crypto";
import type { ProviderWorld } from "./provider-types.ts";

/** RFC 7636 section 4.1 recommends 256 bits of randomness, which are 43 characters. */
const verifierBytes = 32;

/** A new code verifier. It is a secret until the token request. */
export function createCodeVerifier({ randomBytes }: Pick<ProviderWorld, "randomBytes">): string {
  return Buffer.from(randomBytes(verifierBytes)).toString("base64url");
}

/** What goes into the first request; nothing without a verifier. @see RFC 7636 section 4.3 */
export function challengeParameters(codeVerifier: string | undefined): Record<string, string> {
  if (codeVerifier === undefined) return {};
  // RFC 7636 section 4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))).
  const challenge = createHash("sha256").update(codeVerifier, "ascii").digest("base64url");
  return { code_challenge: challenge, code_challenge_method: "S256" };
}
