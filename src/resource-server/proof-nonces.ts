// The values that a server wants to find in proofs, so that none can be made ahead of time (RFC 9449 section 9).

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const lifetimeSeconds = 60;
const characters = 22;

/** Nonces that change every minute. They are computed, so that nothing has to be kept for each client. */
export class ProofNonces {
  readonly #secret: Uint8Array;
  readonly #now: () => number;

  /** @param secret 32 bytes that all processes of a fleet share; undefined: those of this process alone. */
  constructor(secret: Uint8Array | undefined, now: () => number) {
    this.#secret = secret ?? randomBytes(32);
    this.#now = now;
  }

  #of(slot: number): string {
    const text = `latchkey dpop nonce ${String(slot)}`;
    return createHmac("sha256", this.#secret).update(text).digest("base64url").slice(0, characters);
  }

  #slot(): number {
    return Math.floor(this.#now() / lifetimeSeconds);
  }

  /** The one that clients are told now. */
  current(): string {
    return this.#of(this.#slot());
  }

  /** True for the present one and its neighbours: a clock in a fleet may be a little ahead. */
  accepts(nonce: unknown): boolean {
    if (typeof nonce !== "string" || nonce.length !== characters) return false;
    const given = Buffer.from(nonce);
    const slot = this.#slot();
    return [slot - 1, slot, slot + 1].some((each) => {
      const expected = Buffer.from(this.#of(each));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  }
}
