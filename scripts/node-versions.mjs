// The unit lane and a part of the wire and process lanes on every Node that Latchkey promises, without a browser.
// node-versions.mjs [--report FILE] [WANTED …] [-- what vitest takes]: the last line for each version is its count.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isOptionalSkip } from "./debian-packages.mjs";
import { countLine, failureLines, readCounts } from "./test-counts.mjs";

/** @typedef {import("./test-counts.mjs").Counts} Counts */
/** @typedef {{ wanted: string, version: string, counts: Counts, mustRun: string[], isSuccess: boolean, seconds: number }} VersionReport */

const root = fileURLToPath(new URL("..", import.meta.url));

/** The floor itself, the long-term releases of today, and whatever is newest. */
const promisedVersions = ["20.19.0", "22", "24", "latest"];

/** These lanes take about two minutes; one that hangs must not hold continuous integration for ever. */
const maxRunMinutes = 15;

/** What npm's `node` package installs here. */
const platform = process.platform === "win32" ? "win" : process.platform;
const packageName = `node-${platform}-${process.arch}`;
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "latchkey-tests");

/** @param {string} left @param {string} right */
function byVersion(left, right) {
  const [a, b] = [left, right].map((version) => version.split(".").map(Number));
  const differing = a.findIndex((part, index) => part !== b[index]);
  return differing < 0 ? 0 : a[differing] - b[differing];
}

/** @param {readonly string[]} parameters @param {string} folder */
function npm(parameters, folder) {
  // By the shell's path: npm is a script for whichever Node runs this one.
  const { status, stdout, stderr } = spawnSync("npm", parameters, {
    cwd: folder,
    encoding: "utf8",
    timeout: 300_000,
  });
  return { isSuccess: status === 0, stdout, stderr };
}

/** The versions that were downloaded before. */
function cachedVersions() {
  return readdirSync(cache)
    .filter((name) => /^node-\d+\.\d+\.\d+$/.test(name))
    .map((name) => name.slice("node-".length));
}

/** The highest version that is wanted, by npm's answer; where npm does not answer, of those at hand. @param {string} wanted */
function versionOf(wanted) {
  if (/^\d+\.\d+\.\d+$/.test(wanted)) return wanted;
  const answer = npm(["view", `${packageName}@${wanted}`, "version", "--json"], cache);
  if (answer.isSuccess && answer.stdout.trim() !== "") {
    const [highest] = [JSON.parse(answer.stdout)].flat().toSorted(byVersion).toReversed();
    return String(highest);
  }
  const [atHand] = cachedVersions()
    .filter((version) => wanted === "latest" || version.startsWith(`${wanted}.`))
    .toSorted(byVersion)
    .toReversed();
  if (atHand === undefined) {
    throw new Error(`npm names no ${packageName}@${wanted}, and none is cached: ${answer.stderr}`);
  }
  console.log(`npm does not say which Node ${wanted} is; taking ${atHand}, which is at hand.`);
  return atHand;
}

/** The folder of a Node's binary, downloaded once; npm checks the archive's digest. @param {string} version */
function binaryFolder(version) {
  const finished = join(cache, `node-${version}`);
  const binary = join(finished, "node_modules", packageName, "bin");
  if (existsSync(binary)) return binary;
  const work = mkdtempSync(join(cache, "unfinished-"));
  try {
    writeFileSync(join(work, "package.json"), '{ "private": true }');
    const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const { isSuccess, stderr } = npm([...install, `${packageName}@${version}`], work);
    if (!isSuccess) throw new Error(`could not install ${packageName}@${version}: ${stderr}`);
    // Half a download would look like a whole one to the next run.
    rmSync(finished, { recursive: true, force: true });
    renameSync(work, finished);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return binary;
}

/** What a run must not inherit from the vitest that may have started this script. @param {string} name */
const isOfAnotherRun = (name) =>
  name.startsWith("VITEST") ||
  name.startsWith("LATCHKEY_") ||
  ["TEST", "NODE_OPTIONS"].includes(name);

/** @param {string} folder of the binary @param {Record<string, string>} additions */
function environmentFor(folder, additions) {
  const inherited = Object.entries(process.env).filter(([name]) => !isOfAnotherRun(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
    ...additions,
  };
}

/**
 * Runs the suite on one Node. Its output is kept back: it is of use only where something fails.
 * @param {string} wanted @param {readonly string[]} vitestArguments @returns {Promise<VersionReport>}
 */
async function runOn(wanted, vitestArguments) {
  const version = versionOf(wanted);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-node-"));
  try {
    // The cache lies in a home folder, where the ordinary user of some tests may not start it.
    chmodSync(folder, 0o755);
    const binary = join(folder, "node");
    copyFileSync(join(binaryFolder(version), "node"), binary, constants.COPYFILE_FICLONE);
    const countFile = join(folder, "counts.json");
    const vitest = createRequire(import.meta.url).resolve("vitest/package.json");
    const startedAt = performance.now();
    const child = spawn(
      binary,
      [
        join(dirname(vitest), "vitest.mjs"),
        "run",
        "--mode",
        "nodes",
        "--allowOnly=false",
        "--reporter=default",
        `--reporter=${join(root, "scripts", "count-reporter.mjs")}`,
        ...vitestArguments,
      ],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own: its workers and their commands end with it.
        detached: true,
        env: environmentFor(folder, {
          LATCHKEY_TEST_COUNT_FILE: countFile,
          LATCHKEY_WITHOUT_BROWSER: "1",
        }),
      },
    );
    const end = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(end, maxRunMinutes * 60_000);
    process.once("exit", end);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    }
    const [status] = await once(child, "close");
    clearTimeout(timer);
    process.off("exit", end);

    /** @type {Counts} */
    const counts = existsSync(countFile)
      ? readCounts(countFile)
      : { passed: 0, failed: 1, skipped: [], failures: ["vitest ended without a result"] };
    const mustRun = counts.skipped.filter((line) => !isOptionalSkip(line));
    const maySkip = process.env["CI"] !== "true" || mustRun.length === 0;
    const isSuccess = status === 0 && counts.failed === 0 && counts.passed > 0 && maySkip;
    if (!isSuccess) console.log(output);
    for (const line of mustRun) console.log(`Skipped on Node ${version}: ${line}`);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    for (const line of failureLines(counts)) console.log(line);
    console.log(`Node ${version} (${wanted}): ${countLine(counts)}; ${seconds} s`);
    return { wanted, version, counts, mustRun, isSuccess, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ownArguments = process.argv.slice(2);
const separator = ownArguments.indexOf("--");
const { values, positionals } = parseArgs({
  args: separator < 0 ? ownArguments : ownArguments.slice(0, separator),
  options: { report: { type: "string" }, "at-once": { type: "string", default: "1" } },
  allowPositionals: true,
});
mkdirSync(cache, { recursive: true });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** @type {VersionReport[]} */
const reports = [];
const wantedVersions = positionals.length > 0 ? positionals : promisedVersions;
const vitestArguments = separator < 0 ? [] : ownArguments.slice(separator + 1);
const waiting = [...wantedVersions.entries()];
/** One run after the other, until none is left. */
const runThem = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    reports[next[0]] = await runOn(next[1], vitestArguments);
  }
};
await Promise.all(Array.from({ length: Number(values["at-once"]) }, runThem));
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(reports));
process.exitCode = reports.every(({ isSuccess }) => isSuccess) ? 0 : 1;
