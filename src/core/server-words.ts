// What a server says, as it may stand on a terminal: addresses and names that cannot pass for something else.

import { sanitizeProviderText } from "./errors.ts";

const maxWord = 200;

/**
 * A word of a server, such as a client id: in quotes where it could be read as several words, and with what is not ASCII
 * written out, so that no letter passes for another one.
 */
export function serverWord(text: string): string {
  const plain = sanitizeProviderText(text, maxWord);
  if (/^[\x21\x23-\x7e]+…?$/.test(plain)) return plain;
  return JSON.stringify(plain).replace(
    /[^\x20-\x7e…]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Scopes in a row; each is a word (RFC 6749 section 3.3). */
export function serverScopes(scopes: readonly string[]): string {
  return sanitizeProviderText(scopes.map(serverWord).join(" "), 2 * maxWord);
}

/**
 * An address with its scheme and host whole, the host as it is looked up (punycode): only what comes behind it is cut.
 */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return serverWord(address);
  const { protocol, host, pathname, search } = new URL(address);
  const rest = `${pathname}${search}`.replace(/^\/$/, "");
  return `${protocol}//${host}${sanitizeProviderText(rest, maxWord)}`;
}

/** The same without the scheme where it is `https:`, as people name servers. */
export function shownServer(server: string): string {
  return shownAddress(server).replace(/^https:\/\//, "");
}
