// Remembers the headers of tokens that were accepted: a signer writes the same one into all of its tokens.

import { headerTextOf, type CompactToken, type JoseHeader } from "../keys/compact-token.ts";

/** More than any issuer has keys in use; a longer header holds more than the name of one. */
const maxHeaders = 64;
const maxHeaderCharacters = 512;

/** The memory. Only who can sign can add to it, so nobody can crowd it with headers of their own. */
export class SignerHeaders {
  readonly #known = new Map<string, JoseHeader>();

  /** The header of this text, as it was read before. */
  get(text: string): JoseHeader | undefined {
    return this.#known.get(text);
  }

  /** Remembers the header of an accepted token. */
  add(token: string, { algorithm, keyId, header: members }: CompactToken): void {
    const text = headerTextOf(token);
    if (text.length > maxHeaderCharacters || this.#known.has(text)) return;
    if (this.#known.size >= maxHeaders) this.#known.clear();
    // A copy: a part of a text keeps the whole of it in memory, and that is a token.
    this.#known.set(Buffer.from(text, "latin1").toString("latin1"), { algorithm, keyId, members });
  }
}
