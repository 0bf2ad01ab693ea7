// A lock within one process: for a store in memory, and where the system offers none across processes.

import type { HolderMessage } from "./message.ts";
import type { Lease, LockHolder, SharedOutcome, WorkOutcome, WorkPhase } from "./types.ts";
import type { Attempt } from "./wait.ts";

/** What a lock begins with. */
export interface LocalLockOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** True where nothing outside this process could do the same work. */
  readonly acrossProcesses: boolean;
  /** Asked where another has the lock. */
  readonly startAttempt: () => Attempt;
}

interface LocalLock {
  phase: WorkPhase;
  readonly since: number;
  readonly attempts: Set<Attempt>;
}

const locks = new Map<string, LocalLock>();

/** Takes the lock `name` within this process, or waits for who has it. */
export function takeLocally(
  name: string,
  options: LocalLockOptions,
): Lease | Promise<SharedOutcome | "again"> {
  const current = locks.get(name);
  if (current !== undefined) return follow(current, options.startAttempt());

  const lock: LocalLock = { phase: "refresh", since: Math.round(options.now), attempts: new Set() };
  locks.set(name, lock);
  const tell = (message: HolderMessage): void => {
    for (const attempt of lock.attempts) attempt.hear(message);
  };
  const free = (outcome: WorkOutcome | null): Promise<void> => {
    if (locks.get(name) !== lock) return Promise.resolve();
    locks.delete(name);
    if (outcome !== null) tell(outcome);
    for (const attempt of lock.attempts) attempt.end();
    return Promise.resolve();
  };
  return {
    held: true,
    acrossProcesses: options.acrossProcesses,
    announce(phase) {
      lock.phase = phase;
      tell({ kind: "phase", phase });
    },
    finish: (outcome) => free(outcome),
    abandon: () => free(null),
  };
}

/** Who has the lock `name` within this process. */
export function holderHere(name: string): LockHolder | undefined {
  const lock = locks.get(name);
  return lock && { processId: process.pid, phase: lock.phase, since: lock.since };
}

async function follow(lock: LocalLock, attempt: Attempt): Promise<SharedOutcome | "again"> {
  lock.attempts.add(attempt);
  // Not before the caller has the promise of its `acquire`, as it is across processes.
  queueMicrotask(() => {
    const { phase, since } = lock;
    attempt.hear({ kind: "holder", processId: process.pid, phase, since });
  });
  try {
    return await attempt.result;
  } finally {
    lock.attempts.delete(attempt);
  }
}
