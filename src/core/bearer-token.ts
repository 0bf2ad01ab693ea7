// What can be sent as a bearer token. Changes when the rule of what can stand in that header does.

import { maxTokenCharacters } from "./limits.ts";

// RFC 6749 appendix A.12: access-token = 1*VSCHAR. Less of it are the space, the comma and the quote, which take a
// header's value apart. RFC 6750 section 2.1 (b64token) is narrower, and providers do not keep to it: a large one puts
// an "!" behind the organisation's id. A control character would be a second header, and is never let through (T18).
const bearerToken = /^[\x21\x23-\x2b\x2d-\x7e]+$/;

/** True for text of bounded length that can stand in an `Authorization: Bearer` header. */
export function isBearerToken(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxTokenCharacters && bearerToken.test(value);
}
