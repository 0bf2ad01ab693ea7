// Time as the rest of the code sees it: replaceable, in milliseconds. Changes when a new kind of time is needed.

/** The two clocks and the timer. All values in milliseconds. */
export interface Clock {
  /** Wall clock: milliseconds since the epoch. */
  now(): number;
  /** Monotonic clock: never set back, for durations and deadlines. */
  monotonic(): number;
  /**
   * Resolves after `milliseconds`; rejects with the signal's reason when it aborts. The timer keeps the process
   * alive unless `unref` is true.
   */
  sleep(milliseconds: number, options?: { signal?: AbortSignal; unref?: boolean }): Promise<void>;
}

/** The wall clock in seconds since the epoch, as tokens have their times: not a whole number. */
export function nowSeconds(clock: Pick<Clock, "now">): number {
  return clock.now() / 1000;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => {
    // Not `performance.now()`: the global loads all of `node:perf_hooks` at its first use.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  sleep: (milliseconds, options = {}) =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      if (options.unref) timer.unref();
      signal?.addEventListener("abort", stop, { once: true });
    }),
};
