// Whether a token request proves that it comes from who began the sign-in.

import { createHash } from "node:crypto";

/** Compares a verifier with the challenge of before, by S256 alone: RFC 7636 section 4.6. */
export function isProven(challenge: string | undefined, verifier: string | null): boolean {
  if (challenge === undefined) return verifier === null;
  if (verifier === null) return false;
  return createHash("sha256").update(verifier).digest("base64url") === challenge;
}
