// Keeps sign-ins in this process alone. Changes when the store's interface does.

import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { holderHere, takeLocally } from "../lock/local-lock.ts";
import type { AcquireOptions, Lease, SharedOutcome } from "../lock/types.ts";
import type { Wait } from "../lock/wait.ts";
import { startWait } from "../lock/wait.ts";
import type { StoredRecord } from "../record/format.ts";
import type { TokenStore } from "./token-store.ts";

/** What a memory store is made with. */
export interface MemoryStoreOptions {
  /** Default: the machine's clocks. */
  readonly clock?: Clock;
}

// Tells the locks of one store from those of another.
let storesMade = 0;

/**
 * A store that forgets everything when the process ends. Credentials that are given the same one share their
 * sign-ins, and their refreshes.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): TokenStore {
  const clock = options.clock ?? systemClock;
  const records = new Map<string, StoredRecord>();
  storesMade += 1;
  const place = `memory ${storesMade}`;
  // Copies go in and come out, as from a disk: nobody changes what is kept by changing what they were given.
  const copyOf = (key: string): StoredRecord | undefined => structuredClone(records.get(key));

  return {
    level: "memory",
    location: "memory of this process",
    read: (key) => Promise.resolve(copyOf(key)),
    replace: (key, expectedVersion, next) => {
      if (records.get(key)?.version !== expectedVersion) {
        return Promise.resolve({ replaced: false, current: copyOf(key) });
      }
      if (next === undefined) records.delete(key);
      else records.set(key, structuredClone(next));
      return Promise.resolve({ replaced: true });
    },
    holder: (key) => Promise.resolve(holderHere(`${place}\0${key}`)),
    acquire: (key, acquireOptions) => acquireLocally(`${place}\0${key}`, acquireOptions, clock),
    list: () => Promise.resolve([...records.values()].map((record) => structuredClone(record))),
  };
}

/** The lock of one process, by the same rules of waiting as the one across processes. */
async function acquireLocally(
  name: string,
  options: AcquireOptions,
  clock: Clock,
): Promise<Lease | SharedOutcome> {
  options.signal.throwIfAborted();
  let wait: Wait | undefined;
  try {
    const taken = await takeLocally(name, {
      now: clock.now(),
      // Nobody outside this process sees what it keeps.
      acrossProcesses: true,
      startAttempt: () => {
        wait = startWait({
          clock,
          randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
          logger: undefined,
          options,
        });
        return wait.attempt();
      },
    });
    return taken === "again" ? { held: false, outcome: null } : taken;
  } finally {
    wait?.stop();
  }
}
