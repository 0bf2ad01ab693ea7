// The browser of one sign-in: started, there or not, and whether anybody else came in its place. Changes when it is
// decided in another way that there is no browser.

import { isOidcError } from "../core/errors.ts";
import type { BrowserResult } from "../core/world.ts";
import { openAtStart } from "../interaction/open-browser.ts";
import type { StartAddress } from "../interaction/start-address.ts";
import type { FlowWorld } from "./flow-world.ts";
import type { Settings } from "./sign-in-config.ts";

/** What a sign-in knows of its browser. */
export interface SignInBrowser {
  /** What came of starting it; undefined where none was wanted and this machine has one. */
  readonly result: BrowserResult | undefined;
  /**
   * Resolves when there is no browser after all: at once where none was started, later where one was and has fetched
   * nothing. Stays pending where it came, and where none was wanted; rejects when the signal aborts.
   */
  missing(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** How long a browser that was started may take before another way is offered. A cold one takes two or three seconds. */
const arrivalMilliseconds = 5000;

/** `browserProblem` of a browser that was started and never came. */
export const nothingOpened = "nothing has opened so far";

/** Pending until the signal aborts. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

async function waitInVain(
  world: FlowWorld,
  start: StartAddress,
  signal: AbortSignal,
): Promise<void> {
  const waited = new AbortController();
  const stop = AbortSignal.any([signal, waited.signal]);
  const time = world.clock.sleep(arrivalMilliseconds, { signal: stop }).then(() => "in vain");
  // Rejects when the browser has come and the timer is taken away.
  time.catch(() => undefined);
  try {
    if ((await Promise.race([time, start.opened])) !== "in vain") await never(signal);
  } finally {
    waited.abort();
  }
}

/** Starts the browser at the start address, where one is wanted; else finds out whether there is one. */
export async function startBrowser(
  world: FlowWorld,
  settings: Pick<Settings, "openBrowser" | "browserCommand">,
  page: { start: StartAddress; target: string; authority: string | undefined },
): Promise<SignInBrowser> {
  const command = settings.browserCommand;
  if (!settings.openBrowser) {
    // Nobody has to say twice that there is no browser: all that is offered without one is offered here too.
    const problem = await world.whyNoBrowser(command);
    return {
      result: problem === undefined ? undefined : { opened: false, problem },
      missing: (signal) => (problem === undefined ? never(signal) : Promise.resolve()),
      close: () => Promise.resolve(),
    };
  }
  const opened = await openAtStart(world, { ...page, command });
  const { result } = opened;
  return {
    result,
    missing: (signal) =>
      result.opened ? waitInVain(world, page.start, signal) : Promise.resolve(),
    close: () => opened.close(),
  };
}

/**
 * Does the work of a sign-in with a signal that aborts when the start address was opened twice, and throws that error
 * then, whatever the work made of the abort.
 */
export async function endedByIntruder<Value>(
  start: StartAddress,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  try {
    const value = await work(AbortSignal.any([signal, start.signal]));
    await start.alone(signal);
    return value;
  } catch (error) {
    if (start.signal.aborted && isOidcError(start.signal.reason)) throw start.signal.reason;
    throw error;
  }
}
