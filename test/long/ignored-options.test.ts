// Every option has a test that fails when the option is ignored.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("no option can be ignored without a failing test", { timeout: 900_000 }, () => {
  const script = fileURLToPath(new URL("../../scripts/ignored-options.mjs", import.meta.url));
  const run = spawnSync(process.execPath, [script], { encoding: "utf8" });
  expect(run.stdout).not.toContain("NO TEST FAILS");
  expect([run.status, run.stderr]).toEqual([0, ""]);
});
