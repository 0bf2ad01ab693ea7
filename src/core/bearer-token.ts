// What can be sent as a bearer token. Changes when RFC 6750 does.

import { longestTokenCharacters } from "./limits.ts";

// RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
// Anything else could not be sent, or would be a second header.
const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

/** True for text of bounded length that can stand in an `Authorization: Bearer` header. */
export function isBearerToken(value: unknown): value is string {
  return (
    typeof value === "string" && value.length <= longestTokenCharacters && bearerToken.test(value)
  );
}
