// Remembers verified tokens, within a bound: the same one again costs a look instead of a signature.

import type { PublicKey } from "../keys/public-key.ts";
import type { ServingKeys } from "../keys/serving-keys.ts";
import type { Identity } from "./resource-server-types.ts";

/** A verified token. */
export interface VerifiedToken {
  readonly token: string;
  readonly key: PublicKey;
  /** Where the key has to be still. */
  readonly keys: ServingKeys;
  /** When it ends, tolerance included, in seconds since the epoch. */
  readonly endsAt: number;
  readonly identity: Identity;
}

/** Characters of the signature by which a token is found; then the whole of it is compared. */
const tailCharacters = 43;
/** Characters of tokens that are kept for each one that may be: few are longer, and a token may have 64 KiB. */
const charactersOfOne = 2048;
const leastSlots = 16_384;

/** A number for a tail: where it is looked for, and what is looked for there. */
function fingerprintOf(tail: string): number {
  let hash = 0;
  for (let index = tail.length - 12; index < tail.length; index += 1) {
    hash = (Math.imul(hash, 31) + tail.charCodeAt(index)) | 0;
  }
  return hash;
}

/** Makes a value and all that is in it unchangeable. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  // The time of a Date can be set all the same; everything else cannot be changed for the next caller.
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}

interface Kept {
  readonly verified: VerifiedToken;
  /** Whether it was asked for since it last came to the front of those that may go. */
  isUsed: boolean;
}

/**
 * The memory. A token is kept when it is seen for the second time, because most are never seen again, and to keep each
 * costs as much as a good part of its signature. When it is full the oldest one goes that nobody asked for lately.
 */
export class VerifiedTokens {
  readonly #most: number;
  readonly #maxCharacters: number;
  readonly #known = new Map<string, Kept>();
  readonly #seen: Int32Array;
  #characters = 0;
  /** Goes on where it stopped: to pass what is gone from the beginning takes the longer, the more are kept. */
  #oldest: Iterator<string, undefined> = this.#known.keys();

  constructor(most: number) {
    this.#most = most;
    this.#maxCharacters = most * charactersOfOne;
    // With fewer places than tokens, these would push each other out of it before they are seen again.
    const slots = Math.max(leastSlots, 2 ** Math.ceil(Math.log2(2 * most)));
    this.#seen = new Int32Array(most === 0 ? 0 : slots);
  }

  find(token: string): VerifiedToken | undefined {
    const kept = this.#known.get(token.slice(-tailCharacters));
    if (kept?.verified.token !== token) return undefined;
    kept.isUsed = true;
    return kept.verified;
  }

  forget(token: string): void {
    this.#remove(token.slice(-tailCharacters));
  }

  /** Keeps what was seen before; the identity is frozen then, because others get the same one. */
  add(verified: VerifiedToken): void {
    const { token, identity } = verified;
    if (token.length > this.#maxCharacters) return;
    const tail = token.slice(-tailCharacters);
    const fingerprint = fingerprintOf(tail);
    const slot = fingerprint & (this.#seen.length - 1);
    const seen = this.#seen[slot];
    if (seen !== fingerprint) {
      // By chance, where another one is there: two that come in turns would push each other out for ever.
      if (seen === 0 || Math.random() < 0.5) this.#seen[slot] = fingerprint;
      return;
    }
    deepFreeze(identity);
    this.#remove(tail);
    while (
      this.#known.size >= this.#most ||
      this.#characters + token.length > this.#maxCharacters
    ) {
      this.#removeOldest();
    }
    this.#known.set(tail, { verified, isUsed: false });
    this.#characters += token.length;
  }

  #remove(tail: string): void {
    const kept = this.#known.get(tail);
    if (kept === undefined) return;
    this.#known.delete(tail);
    this.#characters -= kept.verified.token.length;
  }

  #removeOldest(): void {
    const { value: tail } = this.#oldest.next();
    const kept = tail === undefined ? undefined : this.#known.get(tail);
    if (tail === undefined || kept === undefined) {
      this.#oldest = this.#known.keys();
      return;
    }
    const { verified, isUsed } = kept;
    this.#remove(tail);
    if (!isUsed) return;
    // Once more to the end of the line.
    this.#known.set(tail, { verified, isUsed: false });
    this.#characters += verified.token.length;
  }
}
