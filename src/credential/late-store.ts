// A store whose code is loaded when it is first used, so that making one costs a program nothing.

import { systemClock, type Clock } from "../core/clock.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import type { StoreLevel, TokenStore } from "../store/token-store.ts";

/** The store that `load` gives. `level` and `location` are known before. */
export function loadedLater(
  level: StoreLevel,
  location: string,
  load: () => Promise<TokenStore>,
): TokenStore {
  const store = madeOnce(load);
  return {
    level,
    location,
    read: async (key) => (await store()).read(key),
    replace: async (key, expectedVersion, next) =>
      (await store()).replace(key, expectedVersion, next),
    acquire: async (key, options) => (await store()).acquire(key, options),
    holder: async (key) => (await store()).holder?.(key),
    tidy: async (key) => (await store()).tidy?.(key),
    discard: async (key) => (await (await store()).discard?.(key)) ?? 0,
    levelOf: async (key) => (await (await store()).levelOf?.(key)) ?? level,
    list: async () => (await store()).list(),
  };
}

/** A store in this process alone: gone when it ends. */
export function memoryLater(clock: Clock = systemClock): TokenStore {
  return loadedLater("memory", "memory of this process", async () => {
    const { createMemoryStore } = await loadPart(() => import("../store/memory-store.ts"));
    return createMemoryStore({ clock });
  });
}
