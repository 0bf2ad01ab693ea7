// Connections that are kept from one request to the next, and for how long. Changes when that rule does.

import type { Clock } from "../core/clock.ts";
import { longestRestSeconds } from "../core/limits.ts";
import { fetchWith } from "./unpaused.ts";
import type { FetchDispatcher } from "./unpaused.ts";

/** A dispatcher of undici, of whichever version. */
export interface ClosableDispatcher extends FetchDispatcher {
  close(): Promise<void>;
}

/** What connects to one address. */
export interface Connections {
  readonly dispatcher: ClosableDispatcher;
  /** Ends what is still being connected, where that can be told apart from what is in use. */
  readonly giveUpConnecting?: () => boolean;
}

/** The connections to one address with what they are doing. */
interface Kept extends Connections {
  /** Requests that have no answer yet. */
  running: number;
  /** When the last answer began, on both clocks: the monotonic one stands still while a machine sleeps. */
  monotonic: number;
  wall: number;
}

/** Bodies that are being read come to their end, which is why dispatchers are closed, not destroyed. */
function retire(kept: Kept): void {
  kept.dispatcher.close().catch(() => {});
}

/**
 * Connections by address. One that has rested is not used again: a firewall or a NAT on the way forgets such
 * connections without a word, and a code or a refresh token that was sent into nothing cannot be sent again safely.
 */
export class ConnectionPool {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends one request over connections that `make` makes where there are none to be used. */
  async fetch(
    key: string,
    make: () => Connections,
    url: string,
    init: RequestInit,
  ): Promise<Response> {
    const kept = this.#usable(key) ?? this.#keep(key, make());
    kept.running += 1;
    try {
      return await fetchWith(kept.dispatcher, url, init);
    } finally {
      kept.running -= 1;
      kept.monotonic = this.#clock.monotonic();
      kept.wall = this.#clock.now();
      // undici would go on connecting for a request that was aborted, and hold the process for ten seconds.
      if (kept.running === 0 && kept.giveUpConnecting?.() === true) {
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
        retire(kept);
      }
    }
  }

  #usable(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.running > 0) return kept;
    const rested = Math.max(
      this.#clock.monotonic() - kept.monotonic,
      Math.abs(this.#clock.now() - kept.wall),
    );
    if (rested <= longestRestSeconds * 1000) return kept;
    this.#kept.delete(key);
    retire(kept);
    return undefined;
  }

  #keep(key: string, connections: Connections): Kept {
    const kept: Kept = { ...connections, running: 0, monotonic: 0, wall: 0 };
    this.#kept.set(key, kept);
    return kept;
  }
}
