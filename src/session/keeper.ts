// Keeps one record in a store by compare and swap, and in memory while the store cannot be written. Changes when the
// rules about lost writes do.

import { isOidcError, OidcError } from "../core/errors.ts";
import type { SessionRecord } from "../record/format.ts";
import type { TokenStore } from "../store/token-store.ts";

/** How a write meets a record that somebody else changed meanwhile. */
export interface KeepRules {
  /**
   * What a record that is gone means: "discard" (a refresh that ends after a logout throws its tokens away) or "keep"
   * (a sign-in is newer than the logout).
   */
  readonly afterLogout: "discard" | "keep";
  /** A failed write is thrown instead of warned about. */
  readonly mustBeKept?: true;
}

// Each try meets another writer who really wrote; more in a row means that something else is wrong.
const mostTries = 5;

/** The record of one key. */
export class Keeper {
  readonly #store: TokenStore;
  readonly #key: string;
  readonly #warn: (code: string, message: string) => void;
  /** What could not be written yet, and the version that it replaces (C09). */
  #unwritten: { base: SessionRecord | undefined; next: SessionRecord } | undefined;

  constructor(store: TokenStore, key: string, warn: (code: string, message: string) => void) {
    this.#store = store;
    this.#key = key;
    this.#warn = warn;
  }

  /** The newest record that is known; tries once more to write what could not be written. */
  async read(): Promise<SessionRecord | undefined> {
    const stored = await this.#store.read(this.#key);
    const pending = this.#unwritten;
    if (pending === undefined) return stored;
    if (stored?.version !== pending.base?.version) {
      // Somebody else wrote since: theirs is newer than what this process holds.
      this.#unwritten = undefined;
      return stored;
    }
    try {
      await this.#store.replace(this.#key, pending.base?.version, pending.next);
      this.#unwritten = undefined;
    } catch (error) {
      if (!isOidcError(error)) throw error;
    }
    return pending.next;
  }

  /**
   * Puts `next` in the place of `base`.
   * @throws {OidcError} `cache_write_failed` and the like, only with `mustBeKept`.
   */
  async replace(
    base: SessionRecord | undefined,
    next: SessionRecord,
    rules: KeepRules,
  ): Promise<"kept" | "in_memory" | "logged_out" | "overtaken"> {
    let expected = base;
    try {
      for (let tries = 0; tries < mostTries; tries += 1) {
        const result = await this.#store.replace(this.#key, expected?.version, next);
        if (result.replaced) {
          this.#unwritten = undefined;
          return "kept";
        }
        if (rules.afterLogout === "discard") {
          return result.current === undefined ? "logged_out" : "overtaken";
        }
        expected = result.current;
      }
      throw new OidcError(
        "cache_write_failed",
        `${this.#store.location} is being changed by other programs all the time; the sign-in could not be stored.`,
      );
    } catch (error) {
      if (!isOidcError(error) || rules.mustBeKept === true) throw error;
      this.#unwritten = { base: expected, next };
      this.#warn(
        error.code,
        `The sign-in works but could not be stored, so the next program will have to sign in again. ${error.message}`,
      );
      return "in_memory";
    }
  }

  /** Deletes the record, whichever version it has; gives what was deleted. */
  async forget(): Promise<SessionRecord | undefined> {
    const pending = this.#unwritten?.next;
    this.#unwritten = undefined;
    let current = await this.#store.read(this.#key);
    const found = pending ?? current;
    while (current !== undefined) {
      const result = await this.#store.replace(this.#key, current.version, undefined);
      if (result.replaced) break;
      current = result.current;
    }
    return found;
  }
}
