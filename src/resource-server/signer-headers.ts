// Remembers the headers of tokens that were accepted: a signer writes the same one into all of its tokens.

import type { CompactToken, JoseHeader } from "../keys/compact-token.ts";

/** More than any issuer has keys in use; a longer header holds more than the name of one. */
const maxHeaders = 64;
const maxHeaderCharacters = 512;

/** The memory. Only who can sign can add to it, so nobody can crowd it with headers of their own. */
export class SignerHeaders {
  readonly #known = new Map<string, JoseHeader>();
  /** The one that was found last, most likely the next one. */
  #last: { readonly text: string; readonly header: JoseHeader } | undefined;

  /** The header at the beginning of a token, up to `end`, as it was read before. */
  get(token: string, end: number): JoseHeader | undefined {
    const last = this.#last;
    if (last?.text.length === end && token.startsWith(last.text)) return last.header;
    const text = token.slice(0, end);
    const header = this.#known.get(text);
    if (header !== undefined) this.#remember(text, header);
    return header;
  }

  /** Remembers the header of an accepted token. */
  add(token: string, { algorithm, keyId, header: members, isHeaderKnown }: CompactToken): void {
    if (isHeaderKnown) return;
    const text = token.slice(0, token.indexOf("."));
    if (text.length > maxHeaderCharacters) return;
    if (this.#known.size >= maxHeaders) this.#known.clear();
    const header = { algorithm, keyId, members };
    this.#known.set(this.#remember(text, header), header);
  }

  #remember(part: string, header: JoseHeader): string {
    // A copy: a part of a text keeps the whole of it in memory, and that is a token.
    const text = Buffer.from(part, "latin1").toString("latin1");
    this.#last = { text, header };
    return text;
  }
}
