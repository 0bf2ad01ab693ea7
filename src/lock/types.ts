// What a lock across processes gives and takes. Changes when holder and waiter must tell each other more.

import type { SerializedOidcError } from "../core/errors.ts";

/** What the holder of a lock is doing. */
export type WorkPhase = "refresh" | "login";

/** How the work under a lock ended, as every waiter hears it. */
export type WorkOutcome =
  /** A record with this version was written. */
  | { readonly kind: "done"; readonly version: string }
  | { readonly kind: "failed"; readonly error: SerializedOidcError };

/** A lock that is held. Release it exactly once, with `finish` or `abandon`. */
export interface Lease {
  readonly held: true;
  /** False where only this process is excluded: another may do the same work at the same time. */
  readonly acrossProcesses: boolean;
  /**
   * Aborts when the lock is lost while the work goes on, so that the work ends: a lock that others may take after some
   * time. Undefined where it lasts as long as this process.
   */
  readonly signal?: AbortSignal;
  /**
   * For a lock that others may take after some time: aborts `signal` at once where that time is over. Called right before
   * a request that cannot be taken back, because a process that was stopped wakes up before its timers do.
   */
  readonly expireIfOverdue?: () => void;
  /**
   * For such a lock: the number of this holder, larger than that of every holder before. It goes with each write, and a
   * store refuses one whose number is smaller than that of the last write. Undefined where the lock lasts as long as
   * this process.
   */
  readonly fence?: number;
  /** Aborts when a person asks for this sign-in at another process that waits for it. Undefined: nobody can. */
  readonly takenOver?: AbortSignal;
  /** Tells waiters what is being done. */
  announce(phase: WorkPhase): void;
  /** Tells every waiter the outcome and frees the lock. */
  finish(outcome: WorkOutcome): Promise<void>;
  /** Frees the lock without an outcome: waiters read again and try themselves. */
  abandon(): Promise<void>;
}

/** Who holds a lock. */
export interface LockHolder {
  /** Undefined where its number would mean another process here: it runs in another container. */
  readonly processId?: number;
  readonly phase: WorkPhase;
  /** When it took the lock: milliseconds since the epoch, by its own clock. */
  readonly since: number;
}

/** The lock was held by another; this is what it told its waiters. */
export interface SharedOutcome {
  readonly held: false;
  /** Null: the other ended without an outcome. Read again, then try again. */
  readonly outcome: WorkOutcome | null;
}

/** Whom a wait is for. */
export interface WaitedFor {
  readonly processId?: number;
  readonly phase: WorkPhase;
  /** Asks it to leave a sign-in that nobody has answered yet to this waiter. It may have to finish what it is at. */
  readonly takeOver?: () => void;
}

/** How to wait for a lock. */
export interface AcquireOptions {
  readonly signal: AbortSignal;
  /** Longest wait for another holder's work, in seconds, by phase; beyond it plus a grace: `cache_locked`. */
  readonly longestWorkSeconds: (phase: WorkPhase) => number;
  /** False: do not wait for a sign-in of another process; `interaction_pending` instead. */
  readonly waitForLogin: boolean;
  /** Called when the wait begins and at each change of phase. */
  readonly onWaiting: (holder: WaitedFor) => void;
}

/** Locks by name, under which one of many does a piece of work and the others wait for its outcome. */
export interface FlightLock {
  /**
   * For whom a lock that is taken proves that its earlier holder has ended: the same text for all of those. Set by a lock
   * that others may take after some time, for whom that is one process alone. Default: the programs of this machine.
   */
  readonly reach?: string;
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
}
