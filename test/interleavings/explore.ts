// Many runs with seeds that are told on failure. Changes when a run is repeated in another way.
import * as fc from "fast-check";
import { run, type RunResult } from "./run.ts";
import type { Scenario } from "./scenario.ts";

function wholeNumber(name: string): number | undefined {
  const text = process.env[name];
  return text === undefined || text === "" ? undefined : Number(text);
}

// The same in every run, so that a change is never refused for what was there before it; what a change does to the
// order of steps makes other interleavings of it.
const fixedSeed = 20_261_123;

function seedOf(text: string | undefined): number | undefined {
  if (text === "random") return undefined;
  return text === undefined || text === "" ? fixedSeed : Number(text);
}

/** How many runs there are. */
export interface Extent {
  readonly runs: number;
  /** Stops without a failure after so many seconds. */
  readonly seconds?: number;
}

/**
 * Explores interleavings. A failure names its seed and path; `LATCHKEY_INTERLEAVINGS_SEED` and, with it,
 * `LATCHKEY_INTERLEAVINGS_PATH` repeat it, `LATCHKEY_INTERLEAVINGS_RUNS` says how many runs there are. With `random`
 * for the seed each run is another one.
 * Gives how calls ended, each way once: runs are worth something only if they come to where it is dangerous.
 */
export async function explore<Kind extends Scenario>(
  scenarios: fc.Arbitrary<Kind>,
  extent: Extent,
  play: (scenario: Kind, scheduler: fc.Scheduler) => Promise<RunResult> = run,
): Promise<ReadonlySet<string>> {
  const { runs, seconds } = extent;
  const met = new Set<string>();
  const seed = seedOf(process.env["LATCHKEY_INTERLEAVINGS_SEED"]);
  const path = process.env["LATCHKEY_INTERLEAVINGS_PATH"];
  await fc.assert(
    fc.asyncProperty(scenarios, fc.scheduler(), async (scenario, scheduler) => {
      const { violations, ends } = await play(scenario, scheduler);
      if (violations.length > 0) throw new Error(violations.join("\n"));
      for (const end of ends) met.add(end);
    }),
    {
      numRuns: wholeNumber("LATCHKEY_INTERLEAVINGS_RUNS") ?? runs,
      // A schedule has no simpler one that means the same: shrinking would take minutes and seldom help.
      endOnFailure: path === undefined,
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined ? {} : { path }),
      ...(seconds === undefined
        ? {}
        : { interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false }),
    },
  );
  return met;
}
