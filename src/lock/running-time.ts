// Time in which this process really ran. Changes when waiting is measured in another way.

import type { Clock } from "../core/clock.ts";

/**
 * Counts the time that this process's event loop ran. A process that was stopped, or busy loading modules among two
 * hundred others, could not have heard an answer that came meanwhile: such time must not count against the holder.
 */
export interface RunningTime {
  /** Milliseconds counted so far. */
  readonly milliseconds: number;
  /** Called at each look at the clock, four times a second. */
  onTick: (() => void) | undefined;
  stop(): void;
}

const tickMilliseconds = 250;
// A late timer counts as one that was late by no more than its own length.
const maxTickMilliseconds: number = 2 * tickMilliseconds;

/** Starts to count; keeps the process alive until it is stopped. */
export function startRunningTime(clock: Clock): RunningTime {
  const stopped = new AbortController();
  const time = {
    milliseconds: 0,
    onTick: undefined as (() => void) | undefined,
    stop: () => stopped.abort(),
  };
  const count = async (): Promise<void> => {
    let before = clock.monotonic();
    while (!stopped.signal.aborted) {
      await clock.sleep(tickMilliseconds, { signal: stopped.signal });
      const now = clock.monotonic();
      time.milliseconds += Math.min(Math.max(now - before, 0), maxTickMilliseconds);
      before = now;
      time.onTick?.();
    }
  };
  // It ends by rejection when it is stopped: the only way that `sleep` rejects.
  count().catch(() => undefined);
  return time;
}
