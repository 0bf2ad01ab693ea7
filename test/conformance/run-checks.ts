// Changes when the checks are run against a provider in another way.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checks } from "./checks.ts";
import type { Check } from "./checks/check.ts";
import { Desk } from "./desk.ts";
import type { Matrix } from "./matrix.ts";
import type { ProviderDescription, ProviderUnderTest } from "./provider-under-test.ts";

type Scheme = "http" | "https";

/** Every check (or those of `rows`) against one provider, by http and by https where nothing else is said; each outcome becomes a cell of the matrix. */
export function runChecks(
  description: ProviderDescription,
  matrix: Matrix,
  options: {
    startSeconds?: number;
    rows?: readonly Check[];
    more?: readonly Check[];
    schemes?: readonly Scheme[];
  } = {},
): void {
  const { name, facts, missing } = description;
  const { startSeconds = 60, rows = checks, more = [], schemes = ["http", "https"] } = options;
  for (const scheme of schemes) {
    const column = `${name} ${scheme}`;
    describe(`${name} ${scheme}`, () => {
      let provider: ProviderUnderTest | undefined;
      if (missing === "") {
        beforeAll(async () => {
          provider = await description.launch({ tls: scheme === "https" });
        }, startSeconds * 1000);
        afterAll(async () => provider?.close());
      }
      for (const check of [...rows, ...more]) {
        const reason = check.impossible?.(facts, scheme);
        const why = missing === "" ? reason : missing;
        matrix.set(check.name, column, why === undefined ? "not run" : `no: ${why}`);
        // What a provider can't do is a cell, not a test that is skipped: there is nothing to make up for.
        if (reason !== undefined) continue;
        // oxlint-disable-next-line vitest/valid-title -- it is a string: the row's name
        test.skipIf(missing !== "")(check.name, async () => {
          if (provider === undefined) throw new Error(`${column} did not start`);
          matrix.set(check.name, column, "FAILED");
          const desk = new Desk(provider, facts);
          let cell: string;
          try {
            cell = (await check.run(desk)) ?? "yes";
          } finally {
            desk.close();
          }
          expect(cell).toMatch(/^(?:yes|yes: .+|no: .+)$/);
          matrix.set(check.name, column, cell);
        });
      }
    });
  }
}
