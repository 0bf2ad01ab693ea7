// The keys of an issuer for a program that goes on running: in memory, renewed ahead, kept through an outage.

import { nowSeconds, type Clock } from "../core/clock.ts";
import { keySetCoolDownSeconds, maxStaleKeysSeconds } from "../core/limits.ts";
import { KeySet, type FetchedKeySet, type KeySource } from "./key-source.ts";
import type { PublicKey } from "./public-key.ts";

/** What {@link ServingKeys} are made of. */
export interface ServingKeysParts {
  readonly clock: Clock;
  /** Asks the issuer, once, as {@link KeySet} wants it. */
  readonly fetch: (signal: AbortSignal | undefined) => Promise<FetchedKeySet>;
}

/** What is at hand, and when it is to be renewed. Times in seconds since the epoch. */
interface KeysAtHand {
  readonly fetched: FetchedKeySet;
  readonly renewAt: number;
}

/**
 * Keys that are asked for with every request that a server gets. Those at hand are used while others are fetched in the
 * background, and for a day when the issuer cannot be asked; then nothing verifies any more (K09). A key that the issuer
 * took out of its set is used no more.
 */
export class ServingKeys implements KeySource {
  readonly known = true;
  readonly #clock: Clock;
  readonly #set: KeySet;
  #atHand: KeysAtHand | undefined;
  #current: ReadonlySet<PublicKey> = new Set();
  #list: readonly PublicKey[] = [];
  #failure: { readonly error: unknown; readonly until: number } | undefined;
  #isRenewing = false;

  constructor({ clock, fetch }: ServingKeysParts) {
    this.#clock = clock;
    this.#set = new KeySet({
      clock,
      acceptsOld: true,
      cache: {
        read: () => (this.#isUsable() ? this.#atHand?.fetched : undefined),
        write: (fetched) => {
          const now = nowSeconds(clock);
          this.#atHand = { fetched, renewAt: now + (fetched.expiresAt - now) * 0.75 };
          return Promise.resolve();
        },
      },
      fetch: (signal) => this.#guarded(fetch, signal),
    });
  }

  /** Whether a key is in the set now. The set is renewed by that, where it is time. */
  has(key: PublicKey): boolean {
    const now = nowSeconds(this.#clock);
    this.#renewAhead(now);
    return this.#isUsable(now) && this.#current.has(key);
  }

  /** The keys that serve now, without a request and without a wait; undefined where some have to be fetched first. */
  atHand(): readonly PublicKey[] | undefined {
    const now = nowSeconds(this.#clock);
    this.#renewAhead(now);
    return this.#isUsable(now) && this.#list.length > 0 ? this.#list : undefined;
  }

  async current(signal?: AbortSignal): Promise<readonly PublicKey[]> {
    this.#renewAhead();
    if (this.#isUsable() && this.#current.size === 0) return this.fetchAgain(signal);
    return this.#remember(await this.#set.current(signal));
  }

  async fetchAgain(signal?: AbortSignal, keyId?: string): Promise<readonly PublicKey[]> {
    const keys = this.#remember(await this.#set.fetchAgain(signal, keyId));
    // The issuer could not say lately whether it has such a key: that is not the fault of whoever sent the token.
    const failure = this.#failureNow();
    if (failure !== undefined) throw failure.error;
    return keys;
  }

  #remember(keys: readonly PublicKey[]): readonly PublicKey[] {
    if (keys !== this.#list) {
      this.#list = keys;
      this.#current = new Set(keys);
    }
    return keys;
  }

  #isUsable(now = nowSeconds(this.#clock)): boolean {
    const atHand = this.#atHand;
    if (atHand === undefined) return false;
    return now < atHand.fetched.expiresAt + maxStaleKeysSeconds;
  }

  #failureNow(): { readonly error: unknown } | undefined {
    const failure = this.#failure;
    return failure !== undefined && this.#clock.monotonic() < failure.until ? failure : undefined;
  }

  /** An issuer that could not be asked is left alone for a moment, however many requests want its keys. */
  async #guarded(
    fetch: ServingKeysParts["fetch"],
    signal: AbortSignal | undefined,
  ): Promise<FetchedKeySet> {
    const failure = this.#failureNow();
    if (failure !== undefined) throw failure.error;
    try {
      const fetched = await fetch(signal);
      this.#failure = undefined;
      return fetched;
    } catch (error) {
      if (signal?.aborted !== true) {
        // Without any keys nobody is served: then it is asked sooner.
        const seconds = this.#isUsable() ? keySetCoolDownSeconds : 1;
        this.#failure = { error, until: this.#clock.monotonic() + seconds * 1000 };
      }
      throw error;
    }
  }

  #renewAhead(now = nowSeconds(this.#clock)): void {
    const atHand = this.#atHand;
    if (atHand === undefined || this.#isRenewing || now < atHand.renewAt) return;
    if (this.#failureNow() !== undefined) return;
    this.#isRenewing = true;
    this.#set
      .renew()
      .then(
        (keys) => void this.#remember(keys),
        // The keys at hand go on; when they are too old, the failure is told to whoever needs them.
        () => undefined,
      )
      .finally(() => {
        this.#isRenewing = false;
      });
  }
}
