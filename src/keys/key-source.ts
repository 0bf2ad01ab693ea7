// Where the keys of an issuer come from, and how seldom they are asked for.

import type { Clock } from "../core/clock.ts";
import { isWithinLifetime } from "../core/lifetime.ts";
import { parseKeySet, type PublicKey } from "./public-key.ts";
import { RefetchBudget } from "./refetch-budget.ts";

/** The keys of an issuer, as a verifier sees them. */
export interface KeySource {
  /** False where the issuer has no key set that we know of: nothing signed with its keys can be verified. */
  readonly known: boolean;
  /**
   * The keys at hand, for a new sign-in no older than their lifetime; fetched where there are none.
   * @throws {OidcError} `discovery_failed` with reason `jwks_unusable`, and what the transport throws.
   */
  current(signal?: AbortSignal): Promise<readonly PublicKey[]>;
  /**
   * Fetches the keys, because those at hand do not fit a token that names `keyId`. For half a minute after that the keys
   * at hand are given, however many tokens they do not fit, but for one `kid` that comes again.
   * @throws {OidcError} like `current`.
   */
  fetchAgain(signal?: AbortSignal, keyId?: string): Promise<readonly PublicKey[]>;
}

/** A key set document as it was fetched; it is validated again whenever it is read. */
export interface FetchedKeySet {
  readonly document: Readonly<Record<string, unknown>>;
  /** Seconds since the epoch; then it serves only those who accept old keys. */
  readonly expiresAt: number;
}

/** Where a fetched key set is kept. */
export interface KeyCache {
  /** What is kept, however old. */
  read(): FetchedKeySet | undefined;
  /** Never rejects: a cache that cannot be written costs a request, and nothing else. */
  write(fetched: FetchedKeySet): Promise<void>;
}

/** What a {@link KeySet} is made of. */
export interface KeySetParts {
  readonly clock: Clock;
  readonly cache: KeyCache;
  /** Asks the issuer, once. It resolves only to a document that {@link parseKeySet} takes for a key set. */
  readonly fetch: (signal: AbortSignal | undefined) => Promise<FetchedKeySet>;
  /** Whether keys may be older than their lifetime, as for a refresh, which is one request. */
  readonly acceptsOld: boolean;
}

/** A request for keys that is under way. */
interface Flight {
  readonly keys: Promise<readonly PublicKey[]>;
  readonly signal: AbortSignal | undefined;
}

/** Keys for an issuer that publishes none that we know of. */
export const noKeys: KeySource = {
  known: false,
  current: () => Promise.resolve([]),
  fetchAgain: () => Promise.resolve([]),
};

/** The keys of a new set, those that were in the last one as the objects that they were. */
function withKnown(keys: readonly PublicKey[], known: readonly PublicKey[]): readonly PublicKey[] {
  const named = new Map(known.map((key) => [JSON.stringify(key), key]));
  return keys.map((key) => named.get(JSON.stringify(key)) ?? key);
}

/** The keys at one address. However many ask at once, one request is made. */
export class KeySet implements KeySource {
  readonly known = true;
  readonly #parts: KeySetParts;
  #flight: Flight | undefined;
  #prefetched: Promise<readonly PublicKey[] | undefined> | undefined;
  /** The keys of the document that was read last: they stay the same objects, with what was prepared of them. */
  #parsed: { document: object; keys: readonly PublicKey[] | undefined } | undefined;
  readonly #budget: RefetchBudget;

  constructor(parts: KeySetParts) {
    this.#parts = parts;
    this.#budget = new RefetchBudget(parts.clock);
  }

  /** Loads the keys in the background where none that serve are at hand. A failure shows when the keys are needed. */
  prefetch(signal?: AbortSignal): void {
    if (this.#prefetched !== undefined || this.#atHand() !== undefined) return;
    this.#prefetched = this.#fetch(signal).catch(() => undefined);
  }

  async current(signal?: AbortSignal): Promise<readonly PublicKey[]> {
    const prefetched = await this.#prefetched;
    this.#prefetched = undefined;
    return prefetched ?? this.#atHand() ?? this.#fetch(signal);
  }

  async fetchAgain(signal?: AbortSignal, keyId?: string): Promise<readonly PublicKey[]> {
    // What is under way was asked for after the keys that do not fit.
    if (this.#flight !== undefined) return this.#fetch(signal);
    // Anybody can make up a `kid`; the issuer must not be asked for each.
    if (!this.#budget.allows(keyId)) {
      const kept = this.#parts.cache.read();
      return (kept && this.#parse(kept.document)) ?? [];
    }
    return this.#fetch(signal);
  }

  /** Fetches the keys though those at hand may serve. @throws {OidcError} like `current`. */
  renew(signal?: AbortSignal): Promise<readonly PublicKey[]> {
    return this.#fetch(signal);
  }

  /** Joins the request that is under way, or makes one. One caller's abort ends nobody else's wait. */
  async #fetch(signal: AbortSignal | undefined): Promise<readonly PublicKey[]> {
    for (;;) {
      const flight = this.#flight ?? this.#start(signal);
      try {
        return await flight.keys;
      } catch (error) {
        if (flight.signal?.aborted !== true || signal?.aborted === true) throw error;
      }
    }
  }

  #start(signal: AbortSignal | undefined): Flight {
    const flight: Flight = { keys: this.#request(signal), signal };
    this.#flight = flight;
    const end = (): void => {
      if (this.#flight === flight) this.#flight = undefined;
    };
    flight.keys.then(end, end);
    return flight;
  }

  async #request(signal: AbortSignal | undefined): Promise<readonly PublicKey[]> {
    const fetched = await this.#parts.fetch(signal);
    const keys = this.#parse(fetched.document) ?? [];
    await this.#parts.cache.write(fetched);
    return keys;
  }

  #parse(document: object): readonly PublicKey[] | undefined {
    if (this.#parsed?.document !== document) {
      const keys = parseKeySet(document as Readonly<Record<string, unknown>>);
      this.#parsed = { document, keys: keys && withKnown(keys, this.#parsed?.keys ?? []) };
    }
    return this.#parsed.keys;
  }

  #atHand(): readonly PublicKey[] | undefined {
    const kept = this.#parts.cache.read();
    if (kept === undefined) return undefined;
    const serves =
      this.#parts.acceptsOld || isWithinLifetime(kept.expiresAt, this.#parts.clock.now());
    const keys = serves ? this.#parse(kept.document) : undefined;
    // A set without a usable key is as good as none; an issuer may have published its first key since.
    return keys === undefined || keys.length === 0 ? undefined : keys;
  }
}
