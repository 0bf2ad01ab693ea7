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
const slots = 16_384;

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

/**
 * The memory. A token is kept when it is seen for the second time, because most are never seen again, and to keep each
 * costs as much as a good part of its signature.
 */
export class VerifiedTokens {
  readonly #most: number;
  readonly #known = new Map<string, VerifiedToken>();
  readonly #seen = new Int32Array(slots);

  constructor(most: number) {
    this.#most = most;
  }

  find(token: string): VerifiedToken | undefined {
    const known = this.#known.get(token.slice(-tailCharacters));
    return known?.token === token ? known : undefined;
  }

  forget(token: string): void {
    this.#known.delete(token.slice(-tailCharacters));
  }

  /** Keeps what was seen before; the identity is frozen then, because others get the same one. */
  add(verified: VerifiedToken): void {
    if (this.#most === 0) return;
    const tail = verified.token.slice(-tailCharacters);
    const fingerprint = fingerprintOf(tail);
    const slot = fingerprint & (slots - 1);
    if (this.#seen[slot] !== fingerprint) {
      this.#seen[slot] = fingerprint;
      return;
    }
    deepFreeze(verified.identity);
    if (this.#known.size >= this.#most) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(tail, verified);
  }
}
