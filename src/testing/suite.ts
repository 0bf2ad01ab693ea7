// What the suites share: the test function of whoever runs them, and a place that is opened twice.

import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";

/**
 * Declares a test: `test` of `node:test`, of vitest, of jest, of whatever takes a title and a function. The function
 * takes nothing; the test has failed where its promise rejects, with an `AssertionError` of `node:assert`.
 */
export type TestFunction = (title: string, run: () => Promise<void>) => unknown;

/** One place, opened twice as by two processes, where it can be shared in this way; else the same object twice. */
export interface OpenedTwice<Part> {
  readonly store: Part;
  readonly sameStore: Part;
  /** Deletes everything. */
  close(): Promise<void>;
}

/** What a suite takes. */
export interface SuiteOptions<Part> {
  /** What the titles of the tests begin with, such as "sqlite store". */
  readonly name: string;
  /** Called once for each test, at once. */
  readonly test: TestFunction;
  /** A new, empty place; called at the begin of each test. */
  readonly open: () => OpenedTwice<Part> | Promise<OpenedTwice<Part>>;
}

/** One test of a suite: its title, and what it does with both views of the place. */
export type SuiteTest<Part> = readonly [
  title: string,
  run: (store: Part, sameStore: Part) => Promise<void>,
];

/**
 * Declares every test of a suite, each in a place of its own.
 * @throws {OidcError} `invalid_option`.
 */
export function declareTests<Part>(
  options: SuiteOptions<Part>,
  tests: readonly SuiteTest<Part>[],
): void {
  const { name, test, open } = checkedSuite(options);
  for (const [title, run] of tests) {
    // Without a parameter: jest takes one for a callback.
    test(`${name}: ${title}`, async () => {
      const opened = await open();
      try {
        await run(opened.store, opened.sameStore);
      } finally {
        await opened.close();
      }
    });
  }
}

function checkedSuite<Part>(options: SuiteOptions<Part>): SuiteOptions<Part> {
  const { name, test, open } = ownOptions(
    options,
    ["name", "test", "open"],
    "{ name, test, open }",
  );
  if (typeof name !== "string" || name === "") throw refusal("`name`", name, "a text");
  if (typeof test !== "function") throw refusal("`test`", test, "a function, such as node:test's");
  if (typeof open !== "function") throw refusal("`open`", open, "a function");
  return options;
}
