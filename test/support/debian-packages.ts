// Changes when a test asks in another way whether a program is there.
import { TestRunner } from "vitest";
import type { TaskMeta } from "vitest";
import { findCommand, neededPrograms, reasonOfMissing } from "../../scripts/debian-packages.mjs";

/** What a test file tells the test script, which prints it beside the names of the tests that skip themselves. */
interface FileMeta extends TaskMeta {
  missingNeeds?: string[];
}

export type Need = keyof typeof neededPrograms;

/**
 * Whether a program that `npm test` installs on Debian is there: `test.skipIf(!needs("openssl").available)(…)`.
 * Called at the top of a test file, it also lets the test script name the reason of the skips. With
 * `LATCHKEY_WITHOUT_BROWSER=1` Chromium counts as absent (scripts/node-versions.mjs).
 */
export function needs(name: Need): { available: boolean; reason: string; path: string } {
  const program = neededPrograms[name];
  const path = findCommand(program.command);
  const isLeftOut = name === "chromium" && process.env["LATCHKEY_WITHOUT_BROWSER"] === "1";
  if (path !== undefined && !isLeftOut) return { available: true, reason: "", path };
  // Declared, like a program that need not be there: what is left out on purpose is no failure.
  const reason = isLeftOut
    ? `left out by LATCHKEY_WITHOUT_BROWSER; ${reasonOfMissing({ ...program, optional: true })}`
    : reasonOfMissing(program);
  tellMissing(reason);
  return { available: false, reason, path: "" };
}

/** Lets the test script name a reason why tests of the file that is being collected skip themselves. */
export function tellMissing(reason: string): void {
  const meta: FileMeta | undefined = TestRunner.getCurrentSuite().file?.meta;
  if (meta !== undefined) meta.missingNeeds = [...(meta.missingNeeds ?? []), reason];
}
