// Which skipped tests continuous integration lets pass.
import { expect, test } from "vitest";
import { isOptionalSkip, neededPrograms, reasonOfMissing } from "../../scripts/debian-packages.mjs";

const { chromium, java, maven } = neededPrograms;

test("a test that wants optional programs alone may be skipped", () => {
  const reasons = [java, maven].map(reasonOfMissing);
  expect(isOptionalSkip(`test/interop/a.test.ts > signs in: ${reasons.join("; ")}`)).toBe(true);
});

test.each([
  ["a program that is installed where it is missing", reasonOfMissing(chromium)],
  ["such a one beside an optional one", `${reasonOfMissing(java)}; ${reasonOfMissing(chromium)}`],
  ["no reason", "no reason given"],
])("a test that is skipped for %s has to run", (_name, reason) => {
  expect(isOptionalSkip(`test/a.test.ts > signs in: ${reason}`)).toBe(false);
});
