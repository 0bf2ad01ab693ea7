// Finds the one token of a request: in one header, and nowhere else.

import { maxAccessTokenCharacters } from "../core/limits.ts";
import type { Refusal } from "./refusal.ts";
import type { Refusals } from "./refusals.ts";
import type { TokenRequest } from "./resource-server-types.ts";

// RFC 6750 section 2.1: credentials = "Bearer" 1*SP b64token
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;

/** True for what may stand as a token in a header. */
export function isB64Token(text: string): boolean {
  return b64token.test(text);
}

/** True where the query has a parameter that RFC 6750 section 2.3 would take for a token; it is never accepted. */
function hasTokenInQuery(url: string): boolean {
  const start = url.indexOf("?");
  if (start === -1) return false;
  const [query = ""] = url.slice(start + 1).split("#", 1);
  return new URLSearchParams(query).has("access_token");
}

/**
 * The scheme and the token of a request, or what it is refused with. The token is what follows the scheme: whether it may
 * be one is the caller's to ask by {@link isB64Token}, because that takes longer than to look for one that is known.
 */
export function bearerOf(
  { authorization, url }: TokenRequest,
  refusals: Refusals,
): { readonly scheme: string; readonly token: string } | Refusal {
  if (hasTokenInQuery(url)) return refusals.request("token_in_query");
  const [header, ...others] = authorization;
  if (header === undefined) return refusals.missing();
  if (others.length > 0) return refusals.request("several_tokens");
  // Bounded before anything looks at it more closely; the scheme and its space are in addition to the token.
  if (header.length > maxAccessTokenCharacters + 16) return refusals.token("too_large");
  const space = header.indexOf(" ");
  const scheme = header.slice(0, space);
  if (space < 1 || /\s/.test(scheme)) return refusals.request("malformed");
  let start = space + 1;
  while (header.charAt(start) === " ") start += 1;
  return { scheme, token: header.slice(start) };
}
