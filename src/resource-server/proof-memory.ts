// Remembers which proofs of possession were used, so that none counts twice.

import { createHash } from "node:crypto";

/**
 * The memory. Nothing leaves it before its time, however much comes: what does not fit is not accepted, since whoever
 * could push a proof out could use it again.
 */
export class ProofMemory {
  readonly #most: number;
  /** When each is forgotten, in seconds since the epoch. */
  readonly #used = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Remembers a proof by its key and its `jti`.
   * @param until when nobody would accept it any more, in seconds since the epoch.
   */
  use(key: string, id: string, until: number, now: number): "fresh" | "used" | "full" {
    // Whatever its length is, it takes the same room.
    const name = createHash("sha256").update(`${key} ${id}`).digest("base64url").slice(0, 24);
    if ((this.#used.get(name) ?? 0) > now) return "used";
    this.#forgetOld(now);
    if (this.#used.size >= this.#most) return "full";
    this.#used.delete(name);
    this.#used.set(name, until);
    return "fresh";
  }

  /** Two at most for each that comes: they are nearly in the order in which they end. */
  #forgetOld(now: number): void {
    let left = 2;
    for (const [name, until] of this.#used) {
      if (until > now || left === 0) return;
      this.#used.delete(name);
      left -= 1;
    }
  }
}
