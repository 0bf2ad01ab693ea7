// Single flight within one process: for a store in memory, and where the system offers no lock across processes.
// Changes when that flight does.

import type { HolderMessage } from "./message.ts";
import type { Lease, LockHolder, SharedOutcome, WorkOutcome, WorkPhase } from "./types.ts";
import type { Attempt } from "./wait.ts";

/** What a flight begins with. */
export interface LocalFlightOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** True where nothing outside this process could do the same work. */
  readonly acrossProcesses: boolean;
  /** Asked where another has the lock. */
  readonly startAttempt: () => Attempt;
}

interface Flight {
  phase: WorkPhase;
  readonly since: number;
  readonly attempts: Set<Attempt>;
}

const flights = new Map<string, Flight>();

/** Takes the lock `name` within this process, or waits for who has it. */
export function takeLocally(
  name: string,
  options: LocalFlightOptions,
): Lease | Promise<SharedOutcome | "again"> {
  const current = flights.get(name);
  if (current !== undefined) return follow(current, options.startAttempt());

  const flight: Flight = { phase: "refresh", since: Math.round(options.now), attempts: new Set() };
  flights.set(name, flight);
  const tell = (message: HolderMessage): void => {
    for (const attempt of flight.attempts) attempt.hear(message);
  };
  const free = (outcome: WorkOutcome | null): Promise<void> => {
    if (flights.get(name) !== flight) return Promise.resolve();
    flights.delete(name);
    if (outcome !== null) tell(outcome);
    for (const attempt of flight.attempts) attempt.end();
    return Promise.resolve();
  };
  return {
    held: true,
    acrossProcesses: options.acrossProcesses,
    announce(phase) {
      flight.phase = phase;
      tell({ kind: "phase", phase });
    },
    finish: (outcome) => free(outcome),
    abandon: () => free(null),
  };
}

/** Who has the lock `name` within this process. */
export function holderHere(name: string): LockHolder | undefined {
  const flight = flights.get(name);
  return flight && { processId: process.pid, phase: flight.phase, since: flight.since };
}

async function follow(flight: Flight, attempt: Attempt): Promise<SharedOutcome | "again"> {
  flight.attempts.add(attempt);
  // Not before the caller has the promise of its `acquire`, as it is across processes.
  queueMicrotask(() => {
    const { phase, since } = flight;
    attempt.hear({ kind: "holder", processId: process.pid, phase, since });
  });
  try {
    return await attempt.result;
  } finally {
    flight.attempts.delete(attempt);
  }
}
