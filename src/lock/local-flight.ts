// Single flight within one process, where the system offers no lock across processes. Changes when that fallback does.

import type { HolderMessage } from "./message.ts";
import type { Lease, SharedOutcome, WorkOutcome, WorkPhase } from "./types.ts";
import type { Attempt } from "./wait.ts";

interface Flight {
  phase: WorkPhase;
  readonly attempts: Set<Attempt>;
}

const flights = new Map<string, Flight>();

/** Takes the lock `name` within this process, or waits for who has it. */
export function takeLocally(
  name: string,
  startAttempt: () => Attempt,
): Lease | Promise<SharedOutcome | "again"> {
  const current = flights.get(name);
  if (current !== undefined) return follow(current, startAttempt());

  const flight: Flight = { phase: "refresh", attempts: new Set() };
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
    announce(phase) {
      flight.phase = phase;
      tell({ kind: "phase", phase });
    },
    finish: (outcome) => free(outcome),
    abandon: () => free(null),
  };
}

async function follow(flight: Flight, attempt: Attempt): Promise<SharedOutcome | "again"> {
  flight.attempts.add(attempt);
  // Not before the caller has the promise of its `acquire`, as it is across processes.
  queueMicrotask(() => {
    attempt.hear({ kind: "holder", processId: process.pid, phase: flight.phase });
  });
  try {
    return await attempt.result;
  } finally {
    flight.attempts.delete(attempt);
  }
}
