// What tests need and npm, PyPI or Maven have, installed once for all runs. Changes when another kind of it is needed.

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The folder of everything that is kept from one run to the next. */
export const testsCache: string = join(
  process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
  "latchkey-tests",
);

/**
 * The folder of this name in the tests' cache, filled where it is not there. A version belongs into the name. An
 * installation that was interrupted leaves none, and of two at the same time one is kept.
 */
export async function installedOnce(
  name: string,
  fill: (folder: string) => Promise<unknown>,
): Promise<string> {
  const finished = join(testsCache, name);
  if (existsSync(finished)) return finished;
  mkdirSync(testsCache, { recursive: true });
  const work = mkdtempSync(join(testsCache, "unfinished-"));
  try {
    await fill(work);
    if (!existsSync(finished)) renameSync(work, finished);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return finished;
}

/** The `node_modules` of exact versions such as `pnpm@10.0.0`; npm checks the archives' digests. No script of theirs runs. */
export async function npmPackages(
  name: string,
  packages: readonly string[],
  then: (modules: string) => void = () => undefined,
): Promise<string> {
  const folder = await installedOnce(name, async (work) => {
    writeFileSync(join(work, "package.json"), '{ "private": true }');
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", ["install", ...options, ...packages], { cwd: work, timeout: 600_000 });
    then(join(work, "node_modules"));
  });
  return join(folder, "node_modules");
}

/** Whether {@link pythonPackages} can work here. */
export function hasPython(): boolean {
  return spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0;
}

/** The Python of an environment that has exact versions such as `pip==26.3`. */
export async function pythonPackages(packages: readonly string[]): Promise<string> {
  const name = packages.join("-").replaceAll("==", "-");
  const folder = await installedOnce(name, async (work) => {
    await run("python3", ["-m", "venv", work]);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run(join(work, "bin", "python"), [...install, ...packages], { timeout: 600_000 });
  });
  return join(folder, "bin", "python");
}
