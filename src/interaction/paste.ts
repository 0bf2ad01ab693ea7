// Reading the address at which a browser elsewhere ended, as a person pastes it. Changes when people paste otherwise.

import { maxUrlCharacters } from "../core/limits.ts";

/** The redirect's parameters, or what to say to the person. */
export type PastedRedirect =
  | { readonly parameters: URLSearchParams }
  | { readonly problem: string };

const wrappings = [
  ["<", ">"],
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
] as const;

function unwrap(text: string): string {
  const trimmed = text.trim();
  for (const [open, close] of wrappings) {
    if (trimmed.length >= 2 && trimmed.startsWith(open) && trimmed.endsWith(close)) {
      return unwrap(trimmed.slice(1, -1));
    }
  }
  return trimmed;
}

function problem(what: string, redirectUri: string): PastedRedirect {
  // Nothing of the pasted text is repeated: it may hold the code.
  return {
    problem: `${what} Copy the whole address from the browser's address bar, even if its page says that it cannot be reached; it begins with ${redirectUri}`,
  };
}

/**
 * Reads pasted text as this sign-in's redirect: the redirect URI's own scheme, host, port and path, with a query.
 * What the parameters say is for the caller to judge, as for a redirect that came by itself.
 */
export function readPastedRedirect(text: string, redirectUri: string): PastedRedirect {
  if (text.length > maxUrlCharacters) {
    return problem("That is too long for the address at which the browser ended.", redirectUri);
  }
  const unwrapped = unwrap(text);
  if (unwrapped === "") return problem("Nothing was pasted.", redirectUri);
  const expected = new URL(redirectUri);
  // A URL parser drops line breaks silently, and a second address behind a space would become part of the query.
  const pasted = /\s/u.test(unwrapped) || !URL.canParse(unwrapped) ? undefined : new URL(unwrapped);
  if (pasted === undefined) return problem("That is not one whole address.", redirectUri);
  if (
    pasted.protocol !== expected.protocol ||
    pasted.host !== expected.host ||
    pasted.pathname !== expected.pathname ||
    pasted.username !== "" ||
    pasted.password !== ""
  ) {
    return pasted.searchParams.has("response_type") || pasted.searchParams.has("request_uri")
      ? problem("That is the address to open, not the one at which the browser ends.", redirectUri)
      : problem("That is another address.", redirectUri);
  }
  if (pasted.search.length <= 1) {
    return problem("That address has nothing after the path.", redirectUri);
  }
  return { parameters: pasted.searchParams };
}
