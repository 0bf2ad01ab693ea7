// The interface of everything that keeps sign-ins. Changes when a store must promise more.

import type { AcquireOptions, Lease, LockHolder, SharedOutcome } from "../lock/types.ts";
import type { SessionRecord } from "../record/format.ts";

export type {
  AcquireOptions,
  Lease,
  LockHolder,
  SharedOutcome,
  WorkOutcome,
  WorkPhase,
} from "../lock/types.ts";

/** How well a store protects what it keeps. */
export type StoreLevel = "memory" | "file-permissions" | "keychain" | "caller-key";

/** What came of a compare and swap. */
export type ReplaceResult =
  | { readonly replaced: true }
  /** Somebody else wrote first; this is the record now. */
  | { readonly replaced: false; readonly current: SessionRecord | undefined };

/**
 * Keeps sign-ins by key. Any number of processes may share one store.
 * @see docs/lock/protocol.md for what `acquire` promises.
 */
export interface TokenStore {
  /** What the user is told about the protection. */
  readonly level: StoreLevel;
  /** Where the records are, for people: a path or a name. */
  readonly location: string;
  /**
   * The record of a key, or undefined. Damaged data is set aside and reported by `onWarning`, never thrown.
   * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `store_unavailable`.
   */
  read(key: string): Promise<SessionRecord | undefined>;
  /**
   * Writes `next` (or deletes, when undefined) only if the record's version is still `expectedVersion` (undefined:
   * no record). Durable when it resolves.
   * @throws {OidcError} `cache_insecure`, `cache_write_failed`, `store_unavailable`.
   */
  replace(
    key: string,
    expectedVersion: string | undefined,
    next: SessionRecord | undefined,
  ): Promise<ReplaceResult>;
  /**
   * Takes the lock of a key, or waits for its holder and shares the holder's outcome.
   * @throws {OidcError} `cache_locked`, `interaction_pending`; the signal's reason when it aborts.
   */
  acquire(key: string, options: AcquireOptions): Promise<Lease | SharedOutcome>;
  /**
   * Who holds the lock of a key now, without waiting for it; undefined where nobody proves to. For `status`.
   * @throws {OidcError} `cache_insecure`, `store_unavailable`.
   */
  holder?(key: string): Promise<LockHolder | undefined>;
  /**
   * Removes what programs that died while they saved have left, of one key or of all: it holds tokens too (C13). What
   * cannot be removed stays; that is no failure.
   */
  tidy?(key?: string): Promise<void>;
  /** Every record that can be read, for `status` and `logout --all`. */
  list(): Promise<readonly SessionRecord[]>;
}

/** Something worth telling the person that did not stop the work. */
export type StoreWarning = (code: string, message: string) => void;
