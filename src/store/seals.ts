// Seals and opens what is kept, with the keys that the caller gives. Changes when keys are fetched in another way.

import type { Clock } from "../core/clock.ts";
import { madeOnce } from "../core/load.ts";
import {
  keysOf,
  sealedValues,
  type GivenKey,
  type Opened,
  type SealedValues,
} from "./sealed-value.ts";

/** Values under the keys as they are now. Both reject with `store_unavailable`, reason `key_unavailable`. */
export interface Seals {
  values(): Promise<SealedValues>;
  /** Fetches the keys anew where the value names one that is not known. */
  open(sealed: string, place: string): Promise<Opened>;
}

interface Fetched {
  readonly values: SealedValues;
  readonly at: number;
}

// A key that is not known may be a new one that this program has not fetched yet. Asked for no more often than that.
const keysMilliseconds = 60_000;

/** Nothing is fetched before it is needed. */
export function createSeals(given: GivenKey, clock: Clock): Seals {
  const fetch = async (): Promise<Fetched> => ({
    values: sealedValues(await keysOf(given)),
    at: clock.monotonic(),
  });
  let current: () => Promise<Fetched> = madeOnce(fetch);
  let fetching: Promise<Fetched> | undefined;
  /** The keys of before stay where the new ones cannot be had. */
  const fetchAnew = async (): Promise<Fetched> => {
    try {
      const fetched = await fetch();
      current = () => Promise.resolve(fetched);
      return fetched;
    } finally {
      fetching = undefined;
    }
  };
  return {
    values: async () => (await current()).values,
    open: async (sealed, place) => {
      const { values, at } = await current();
      const opened = values.open(sealed, place);
      const isRecent = clock.monotonic() - at < keysMilliseconds;
      if (opened.state !== "otherKey" || typeof given !== "function" || isRecent) return opened;
      return (await (fetching ??= fetchAnew())).values.open(sealed, place);
    },
  };
}
