// Changes when tests need to move time by hand in another way.
import type { Clock } from "../../src/core/clock.ts";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on; every sleep that ends within wakes up, in order. */
  advance(milliseconds: number): Promise<void>;
  /** Resolves as soon as somebody sleeps who was not asleep when this was called before; gives the milliseconds. */
  nextSleep(): Promise<number>;
  /** Sleeps that have neither ended nor been aborted. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Makes a clock that starts at `start`, milliseconds since the epoch. */
export function createManualClock(start = Date.UTC(2026, 10, 23, 12)): ManualClock {
  let time = start;
  const sleepers = new Set<Sleeper>();
  const announced: number[] = [];
  const awaited: ((milliseconds: number) => void)[] = [];
  return {
    now: () => time,
    monotonic: () => time - start,
    sleep: (milliseconds, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          until: time + milliseconds,
          wake() {
            signal?.removeEventListener("abort", stop);
            resolve();
          },
        };
        signal?.addEventListener("abort", stop, { once: true });
        sleepers.add(sleeper);
        const waiting = awaited.shift();
        if (waiting === undefined) announced.push(milliseconds);
        else waiting(milliseconds);
      }),
    async advance(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        const [next] = [...sleepers].toSorted((a, b) => a.until - b.until);
        if (next === undefined || next.until > end) break;
        time = Math.max(time, next.until);
        sleepers.delete(next);
        next.wake();
        // Whoever woke up may sleep again before `end`.
        await new Promise((resolve) => void setImmediate(resolve));
      }
      time = end;
    },
    nextSleep: () =>
      new Promise((resolve) => {
        const milliseconds = announced.shift();
        if (milliseconds === undefined) awaited.push(resolve);
        else resolve(milliseconds);
      }),
    get sleeping() {
      return sleepers.size;
    },
  };
}
