// Changes when tests need time to pass in another way.
import { systemClock } from "../../src/core/clock.ts";
import type { Clock } from "../../src/core/clock.ts";

/** A clock whose time passes `speed` times as fast as the machine's, so that limits of seconds are met in a test. */
export function createFastClock(speed: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * speed,
    sleep: (milliseconds, options) => systemClock.sleep(milliseconds / speed, options),
  };
}
