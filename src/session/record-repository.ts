// The record of one key: kept in a store by compare and swap, and in memory while the store cannot be written. Changes
// when the rules about lost writes do.

import { decisionsOf, isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import type { Warn } from "../core/warning.ts";
import { sentences } from "../core/wording.ts";
import type { SessionRecord, StoredRecord } from "../record/format.ts";
import { parseRecord } from "../record/parse.ts";
import type { RecordStore } from "../store/token-store.ts";

/** How a write meets a record that somebody else changed meanwhile. */
export interface KeepRules {
  /**
   * What a record that is gone means: "discard" (a refresh that ends after a logout throws its tokens away) or "keep"
   * (a sign-in is newer than the logout).
   */
  readonly afterLogout: "discard" | "keep";
  /** A failed write is thrown instead of warned about. */
  readonly mustBeKept?: true;
  /** Whether the new record takes the place of one that was written meanwhile. Default: never. */
  readonly supersedes?: (current: SessionRecord) => boolean;
  /** The number of the lease under which it is written, where that has one. */
  readonly fence?: number | undefined;
}

/** What became of a record. */
export interface Kept {
  readonly status: "kept" | "in_memory" | "logged_out" | "overtaken";
  /** As it was written, or would have been. */
  readonly record: SessionRecord;
}

/** False for a record that only counts prompts: nobody has signed in yet. */
export function isSignedIn(record: SessionRecord): boolean {
  return record.signedInAt > 0;
}

/** What is stored, believing nothing: what cannot be used counts as absent, whichever store it comes from. */
function decoded(stored: StoredRecord | undefined): SessionRecord | undefined {
  return stored && parseRecord(stored);
}

/** Every sign-in in a store that can be used. */
export async function recordsIn(store: RecordStore): Promise<readonly SessionRecord[]> {
  return (await store.list()).flatMap((stored) => decoded(stored) ?? []);
}

// Each try meets another writer who really wrote; more in a row means that something else is wrong.
const maxTries = 5;

/** The record of one key. */
export class RecordRepository {
  readonly #store: RecordStore;
  readonly #key: string;
  readonly #warn: Warn;
  /** What could not be written yet, and the version that it replaces (C09). */
  #unwritten:
    | { base: SessionRecord | undefined; next: SessionRecord; fence: number | undefined }
    | undefined;
  #isWithoutCache = false;

  constructor(store: RecordStore, key: string, warn: Warn) {
    this.#store = store;
    this.#key = key;
    this.#warn = warn;
  }

  /**
   * The newest record that is known; tries once more to write what could not be written. A cache that cannot be used is
   * as good as none, once that has been said: a token is worth more.
   * @throws {OidcError} `cache_insecure`, `store_unavailable`; with `mustBeUsable` whatever keeps the cache from use.
   */
  async read(mustBeUsable: boolean = false): Promise<SessionRecord | undefined> {
    const stored = await this.#readUsable(mustBeUsable);
    const pending = this.#unwritten;
    if (pending === undefined) return stored;
    if (stored?.version !== pending.base?.version) {
      // Somebody else wrote since: theirs is newer than what this process holds.
      this.#unwritten = undefined;
      return stored;
    }
    try {
      const { base, next, fence } = pending;
      const result = await this.#store.replace(this.#key, base?.version, next, fence);
      this.#unwritten = undefined;
      // Another program has the lock by now, and what it wrote is newer.
      if (!result.replaced && result.fenced === true) return stored;
    } catch (error) {
      if (!isOidcError(error)) throw error;
    }
    return pending.next;
  }

  /** What every program sees now; not what only this one knows. */
  async readStored(): Promise<SessionRecord | undefined> {
    return decoded(await this.#store.read(this.#key));
  }

  async #readUsable(mustBeUsable: boolean): Promise<SessionRecord | undefined> {
    try {
      const stored = await this.readStored();
      this.#isWithoutCache = false;
      return stored;
    } catch (error) {
      const isAbsent = decisionsOf(error)?.cache === "absent";
      if (!isOidcError(error) || !isAbsent || mustBeUsable) throw error;
      if (!this.#isWithoutCache) {
        this.#warn(
          error.code,
          sentences(
            "The token cache cannot be used, so nothing is kept beyond this program.",
            wordingOf(error),
          ),
        );
      }
      this.#isWithoutCache = true;
      return this.#unwritten?.base;
    }
  }

  /**
   * Puts what `make` gives in the place of `base`. Where somebody else wrote meanwhile and the rules let this record
   * take the place of theirs, it is made once more, after theirs: no version is ever written twice.
   * @throws {OidcError} `cache_write_failed` and the like, only with `mustBeKept`.
   */
  async replace(
    base: SessionRecord | undefined,
    make: (previous: SessionRecord | undefined) => SessionRecord,
    rules: KeepRules,
  ): Promise<Kept> {
    let expected = base;
    let record = make(base);
    try {
      for (let tries = 0; tries < maxTries; tries += 1) {
        const version = expected?.version;
        const result = await this.#store.replace(this.#key, version, record, rules.fence);
        if (result.replaced) {
          this.#unwritten = undefined;
          return { status: "kept", record };
        }
        if (result.fenced === true) return { status: "overtaken", record };
        const current = decoded(result.current);
        if (rules.afterLogout === "discard") {
          if (current === undefined) return { status: "logged_out", record };
          if (rules.supersedes?.(current) !== true) return { status: "overtaken", record };
        }
        expected = current;
        record = make(current);
      }
      throw this.#changedMeanwhile();
    } catch (error) {
      if (!isOidcError(error) || rules.mustBeKept === true) throw error;
      this.#unwritten = { base: expected, next: record, fence: rules.fence };
      if (!this.#isWithoutCache) {
        this.#warn(
          error.code,
          sentences(
            "The sign-in works but could not be stored for certain, so the next program may have to sign in again.",
            wordingOf(error),
          ),
        );
      }
      return { status: "in_memory", record };
    }
  }

  /**
   * Changes what is stored without new tokens: lets `change` decide, compares and swaps. "keep" from `change` leaves
   * everything as it is, undefined deletes the record. `known`: the record as it was read a moment ago, so that it is not
   * read again. `fence`: the number of the lease under which it is written. Gives the record as it then is.
   * @throws {OidcError} `cache_write_failed` and the like.
   */
  async update(
    change: (current: SessionRecord | undefined) => SessionRecord | undefined | "keep",
    known?: SessionRecord,
    fence?: number,
  ): Promise<SessionRecord | undefined> {
    let current = known ?? (await this.read());
    for (let tries = 0; tries < maxTries; tries += 1) {
      const next = change(current);
      if (next === "keep") return current;
      const pending = this.#unwritten;
      if (pending !== undefined && next !== undefined) {
        // The store cannot be written, and what this process holds in its place is nobody else's.
        this.#unwritten = { base: pending.base, next, fence };
        return next;
      }
      const result = await this.#store.replace(this.#key, current?.version, next, fence);
      if (result.replaced) return next;
      current = decoded(result.current);
      if (result.fenced === true) return current;
    }
    throw this.#changedMeanwhile();
  }

  #changedMeanwhile(): OidcError {
    return new OidcError(
      "cache_write_failed",
      `${this.#store.location} is being changed by other programs all the time; the sign-in could not be stored.`,
    );
  }

  /** Deletes the record, whichever version it has; gives the sign-in that was deleted, as far as it could be read. */
  async forget(): Promise<SessionRecord | "unread" | undefined> {
    const pending = this.#unwritten?.next;
    this.#unwritten = undefined;
    let current: StoredRecord | undefined;
    try {
      current = await this.#store.read(this.#key);
    } catch (error) {
      const discarded = isOidcError(error) ? await this.#discard(error) : undefined;
      if (discarded === undefined) throw error;
      return pending ?? (discarded > 0 ? "unread" : undefined);
    }
    const known = pending ?? decoded(current);
    const found = known === undefined || !isSignedIn(known) ? undefined : known;
    while (current !== undefined) {
      const result = await this.#store.replace(this.#key, current.version, undefined);
      if (result.replaced) break;
      current = result.current;
    }
    await this.#store.tidy?.(this.#key);
    return found;
  }

  /** Deletes what cannot be read, and gives how many that was; undefined where that is not possible. */
  async #discard(why: OidcError): Promise<number | undefined> {
    const isSealed = why.code === "keychain_unavailable" || why.reason === "plain_text";
    const mayBe = isSealed || why.reason === "other_key";
    return mayBe ? this.#store.discard?.(this.#key) : undefined;
  }
}
