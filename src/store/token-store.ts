// What keeps sign-ins, and what keeps the programs that share them apart. Changes when a store must promise more.

import type { FlightLock } from "../lock/types.ts";
import type { StoredRecord } from "../record/format.ts";

export type {
  AcquireOptions,
  FlightLock,
  Lease,
  LockHolder,
  SharedOutcome,
  WorkOutcome,
  WorkPhase,
} from "../lock/types.ts";
export type { StoredRecord } from "../record/format.ts";

/** How well a store protects what it keeps. */
export type StoreLevel = "memory" | "file-permissions" | "keychain" | "caller-key";

/** What came of a compare and swap. */
export type ReplaceResult =
  | { readonly replaced: true }
  /** Somebody else wrote first; this is the record now. */
  | {
      readonly replaced: false;
      readonly current: StoredRecord | undefined;
      /** A later holder of the lock has written already: nothing that this one has may take its place. */
      readonly fenced?: true;
    };

/** Keeps sign-ins by key. Any number of processes may share what it keeps. */
export interface RecordStore {
  /** What the user is told about the protection. */
  readonly level: StoreLevel;
  /** Where the records are, for people: a path or a name. */
  readonly location: string;
  /**
   * The record of a key, or undefined. Damaged data is set aside and reported, never thrown.
   * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `store_unavailable`.
   */
  read(key: string): Promise<StoredRecord | undefined>;
  /**
   * Writes `next` (or deletes, when undefined) only if the record's version is still `expectedVersion` (undefined:
   * no record). Durable when it resolves. `fence`: the number of the lease under which new tokens are written, where it has
   * one; a store whose leases have none never gets any.
   * @throws {OidcError} `cache_insecure`, `cache_write_failed`, `store_unavailable`.
   */
  replace(
    key: string,
    expectedVersion: string | undefined,
    next: StoredRecord | undefined,
    fence?: number,
  ): Promise<ReplaceResult>;
  /** Every record that can be read, for `status` and `logout --all`. */
  list(): Promise<readonly StoredRecord[]>;
  /**
   * Removes what programs that died while they saved have left, of one key or of all: it holds tokens too (C13). What
   * cannot be removed stays; that is no failure.
   */
  tidy?(key?: string): Promise<void>;
  /**
   * Deletes the record of a key, or all of them, without reading them: for a logout where what is kept cannot be
   * opened, because a keychain is locked for example. Gives how many there were.
   * @throws {OidcError} `cache_insecure`, `cache_write_failed`, `store_unavailable`.
   */
  discard?(key?: string): Promise<number>;
  /** How well the record of a key is protected, where that is not the same for all. Default: `level`. */
  levelOf?(key: string): Promise<StoreLevel>;
}

/**
 * What the option `store` takes: the records, and the lock under which one program renews them for all.
 * @see docs/lock/protocol.md for what `acquire` promises.
 */
export interface TokenStore extends RecordStore, FlightLock {}

/** Something worth telling the person that did not stop the work. */
export type StoreWarning = (code: string, message: string) => void;
