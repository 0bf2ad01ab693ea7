// Changes when the numbers of a test run are shown or added up in another way. As a command: test-counts.mjs FOLDER
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ passed: number, failed: number, skipped: string[], failures: string[] }} Counts */

/** @param {string} path @returns {Counts} */
export function readCounts(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** The line that ends a run: programs read it. @param {Counts} counts */
export function countLine({ passed, failed, skipped }) {
  const line = `${passed} passed, ${failed} failed`;
  return skipped.length > 0 ? `${line}, ${skipped.length} skipped` : line;
}

/** Which tests failed, and how: the end of a log is what is kept of it. @param {Counts} counts */
export function failureLines({ failures }) {
  return failures.map((line) => `Failed: ${line}`.slice(0, 2_000));
}

/** Every run that left its counts in a folder, added up. @param {string} folder */
function sumOfFolder(folder) {
  /** @type {Counts} */
  const sum = { passed: 0, failed: 0, skipped: [], failures: [] };
  for (const name of readdirSync(folder)) {
    const counts = readCounts(join(folder, name));
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped.push(...counts.skipped);
    sum.failures.push(...counts.failures);
  }
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("usage: test-counts.mjs FOLDER");
  const sum = sumOfFolder(folder);
  for (const line of [...failureLines(sum), countLine(sum)]) console.log(line);
}
