// Pins that are gone with the process: where there is no home folder to keep them in.

import { systemClock, type Clock } from "../core/clock.ts";
import { isSamePin, type Pin, type PinStore, type ServerPin } from "./pins.ts";

/** Makes a store of pins for this process alone. Questions about one server wait for each other. */
export function createMemoryPins(clock: Pick<Clock, "now"> = systemClock): PinStore {
  const pins = new Map<string, Pin>();
  const asking = new Map<string, Promise<unknown>>();
  return {
    read: (server) => Promise.resolve(pins.get(server)),
    list: () => Promise.resolve([...pins].map(([server, pin]): ServerPin => ({ ...pin, server }))),
    replace: (server, expected, next) => {
      if (!isSamePin(pins.get(server), expected)) return Promise.resolve(false);
      if (next === undefined) pins.delete(server);
      else pins.set(server, { ...next, pinnedAt: clock.now() });
      return Promise.resolve(true);
    },
    askAlone: async (server, signal, ask) => {
      const before = asking.get(server) ?? Promise.resolve();
      const mine = before
        .catch(() => undefined)
        .then(() => {
          signal?.throwIfAborted();
          return ask();
        });
      asking.set(server, mine);
      try {
        return await mine;
      } finally {
        if (asking.get(server) === mine) asking.delete(server);
      }
    },
  };
}
