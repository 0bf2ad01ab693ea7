// What a server's word about the provider must be before anything reads it.

import { isLoopbackHost } from "../core/hosts.ts";
import { maxServerTextCharacters, maxUrlCharacters, maxScopes } from "../core/limits.ts";
import type { ServerConfig } from "./server-config.ts";

/** What a server said, as it came. Empty and absent are the same. */
export interface SaidConfig {
  readonly issuer: string;
  readonly clientId?: string | undefined;
  readonly audience?: string | undefined;
  /** Separated by spaces. */
  readonly scopes?: string | undefined;
  readonly resource?: string | undefined;
}

// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
// Control characters, lone surrogates, and what changes the direction or the look of a text that a person judges.
const unfit = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function isIssuer(text: string): boolean {
  if (text.length > maxUrlCharacters || unfit.test(text) || /[\s?#\\]/.test(text)) return false;
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
}

function textOf(
  name: string,
  value: string | undefined,
  fail: (what: string) => Error,
): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (value.length > maxServerTextCharacters || unfit.test(value)) {
    throw fail(`names ${name} with characters that cannot be in one, or too many of them`);
  }
  return value;
}

function scopesOf(
  value: string | undefined,
  fail: (what: string) => Error,
): readonly string[] | undefined {
  const scopes = (value ?? "").split(" ").filter((scope) => scope !== "");
  if (scopes.length === 0) return undefined;
  const isFit = (value ?? "").length <= maxServerTextCharacters && scopes.length <= maxScopes;
  if (!isFit || !scopes.every((scope) => scopeToken.test(scope))) {
    throw fail("names scopes that cannot be requested (RFC 6749 section 3.3)");
  }
  return [...new Set(scopes)];
}

/**
 * Checks what a server said: the issuer is `https:`, or `http:` on loopback, without query, fragment or user
 * information; nothing holds what a terminal could not show; all of it is bounded (D02, D19).
 * @param fail makes the error of words that follow the server's name.
 */
export function checkedConfig(said: SaidConfig, fail: (what: string) => Error): ServerConfig {
  if (!isIssuer(said.issuer)) {
    throw fail("names an issuer that is not an https: URL (http: only on loopback)");
  }
  return {
    issuer: said.issuer,
    clientId: textOf("a client", said.clientId, fail) ?? "",
    scopes: scopesOf(said.scopes, fail),
    audience: textOf("an audience", said.audience, fail),
    resource: textOf("a resource", said.resource, fail),
  };
}
