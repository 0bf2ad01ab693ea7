// Changes when vitest tells the outcome of tests in another way. A vitest reporter beside the one that people read.
import { writeFileSync } from "node:fs";

/** @typedef {import("vitest/node").TestModule} TestModule */
/** @typedef {import("vitest/node").SerializedError} SerializedError */
/** @typedef {import("./test-counts.mjs").Counts} Counts */

/** Writes what happened, in numbers, to the file named by LATCHKEY_TEST_COUNT_FILE. */
export default class CountReporter {
  /**
   * A file or a suite that broke outside its tests counts as a failure, and so does an error that no test caught:
   * otherwise a run could end with "0 failed" and a failing exit code.
   * @param {readonly TestModule[]} testModules
   * @param {readonly SerializedError[]} unhandledErrors
   */
  onTestRunEnd(testModules, unhandledErrors) {
    /** @type {Counts} */
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [], failures: [] };
    counts.failures.push(...unhandledErrors.map(({ message }) => `outside the tests: ${message}`));
    for (const testModule of testModules) {
      counts.failed += testModule.errors().length;
      for (const suite of testModule.children.allSuites()) counts.failed += suite.errors().length;
      const { missingNeeds } = testModule.meta();
      const reasonOfFile = Array.isArray(missingNeeds) ? missingNeeds.join("; ") : "";
      for (const test of testModule.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") counts.passed += 1;
        else if (result.state === "failed") {
          counts.failed += 1;
          const [error] = result.errors;
          counts.failures.push(
            `${testModule.relativeModuleId} > ${test.fullName}: ${error?.message}`,
          );
        } else {
          const note = result.state === "skipped" ? result.note : "it never ended";
          const reason = note || reasonOfFile || "no reason given";
          counts.skipped.push(`${testModule.relativeModuleId} > ${test.fullName}: ${reason}`);
        }
      }
    }
    const path = process.env["LATCHKEY_TEST_COUNT_FILE"];
    if (path === undefined) throw new Error("LATCHKEY_TEST_COUNT_FILE is not set");
    writeFileSync(path, JSON.stringify(counts));
  }
}
