// Runs a lane of the tests, with what it needs before and after vitest.
// test.mjs [unit|interop|long] [what vitest takes]: the last line of its output is "N passed, N failed[, N skipped]".
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installMissingPrograms, isOptionalSkip } from "./debian-packages.mjs";
import { countLine, failureLines, readCounts } from "./test-counts.mjs";

/** @typedef {import("./test-counts.mjs").Counts} Counts */

const root = fileURLToPath(new URL("..", import.meta.url));
const reporter = fileURLToPath(new URL("count-reporter.mjs", import.meta.url));
const [first, ...rest] = process.argv.slice(2);
const modes = /** @type {const} */ (["unit", "interop", "long"]);
const mode = modes.find((name) => name === first);
const vitestArguments = mode === undefined ? process.argv.slice(2) : rest;

/** @param {string} script @param {readonly string[]} parameters @param {Record<string, string>} [environment] */
function runNode(script, parameters, environment = {}) {
  const { status, error } = spawnSync(process.execPath, [script, ...parameters], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw error;
  return status === 0;
}

/** Runs vitest, and gives its counts and whether it was content itself. */
function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-counts-"));
  try {
    const countFile = join(folder, "counts.json");
    const vitest = join(
      dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
      "vitest.mjs",
    );
    const succeeded = runNode(
      vitest,
      [
        "run",
        ...(mode === undefined ? [] : ["--mode", mode]),
        "--allowOnly=false",
        "--reporter=default",
        `--reporter=${reporter}`,
        ...vitestArguments,
      ],
      { LATCHKEY_TEST_COUNT_FILE: countFile },
    );
    return { succeeded, counts: existsSync(countFile) ? readCounts(countFile) : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Says why the run is no success; nothing when it is one. @param {Counts} counts @param {boolean} succeeded */
function whyNot(counts, succeeded) {
  const isContinuousIntegration = process.env["CI"] === "true";
  if (counts.failed > 0) return `${counts.failed} failed.`;
  const mustRun = counts.skipped.filter((line) => !isOptionalSkip(line));
  const isAllOptional = counts.skipped.length > 0 && mustRun.length === 0;
  if (counts.passed === 0 && !isAllOptional) return "No test ran.";
  if (!succeeded) return "vitest reports a failure beside the tests; see above.";
  if (isContinuousIntegration && mustRun.length > 0) {
    return `${mustRun.length} skipped, and in continuous integration these tests have to run.`;
  }
  return undefined;
}

/** What a run counts as that has no result of its own. @param {string} why @returns {Counts} */
const brokenRun = (why) => ({ passed: 0, failed: 1, skipped: [], failures: [why] });

function test() {
  // The unit lane runs sources, and no other program.
  if (mode !== "unit") installMissingPrograms(mode);
  if (mode !== "unit" && !runNode(join(root, "scripts", "build.mjs"), [])) {
    console.log("\nThe build failed, so no test ran; it counts as one failure.");
    return { counts: brokenRun("the build failed"), isSuccess: false };
  }
  const { succeeded, counts } = runVitest();
  if (counts === undefined) {
    console.log("\nvitest ended without a result; it counts as one failure.");
    return { counts: brokenRun("vitest ended without a result"), isSuccess: false };
  }
  if (counts.skipped.length > 0) console.log(`Skipped:\n  ${counts.skipped.join("\n  ")}`);
  const reason = whyNot(counts, succeeded);
  for (const line of failureLines(counts)) console.log(line);
  if (reason !== undefined) console.log(reason);
  return { counts, isSuccess: reason === undefined };
}

const { counts, isSuccess } = test();
// Where a caller adds up several runs.
const folder = process.env["LATCHKEY_TEST_COUNTS_FOLDER"];
if (folder !== undefined) {
  writeFileSync(join(folder, `${mode ?? "default"}.json`), JSON.stringify(counts));
}
console.log(countLine(counts));
process.exitCode = isSuccess ? 0 : 1;
