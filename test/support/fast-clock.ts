// Changes when tests need time to pass in another way.
import { systemClock } from "../../src/core/clock.ts";
import type { Clock } from "../../src/core/clock.ts";

/**
 * A clock whose time passes `speed` times as fast as the machine's, so that limits of seconds are met in a test.
 * `sleepSpeed` is for a process that is to believe that more time has passed than its timers saw.
 */
export function createFastClock(speed: number, sleepSpeed: number = speed): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * speed,
    sleep: (milliseconds, options) => systemClock.sleep(milliseconds / sleepSpeed, options),
  };
}

/** The same clock; `slept` gets the milliseconds of each sleep as it begins. */
export function recordSleeps(clock: Clock, slept: number[]): Clock {
  return {
    ...clock,
    sleep: (milliseconds, options) => {
      slept.push(milliseconds);
      return clock.sleep(milliseconds, options);
    },
  };
}
