// What stands in for a store where there is no place for one. Changes when a store must do more without a place.

import type { Clock } from "../core/clock.ts";
import type { OidcError } from "../core/errors.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import type { TokenStore } from "./token-store.ts";

/** A store that says why it keeps nothing. Its lock is that of one process. */
export function createUnavailableStore(why: OidcError, clock: Clock): TokenStore {
  const refuse = (): Promise<never> => Promise.reject(why);
  const memory = madeOnce(async () => {
    const { createMemoryStore } = await loadPart(() => import("./memory-store.ts"));
    return createMemoryStore({ clock });
  });
  return {
    level: "memory",
    location: "no place on this machine",
    read: refuse,
    replace: refuse,
    acquire: async (key, options) => (await memory()).acquire(key, options),
    list: refuse,
  };
}
