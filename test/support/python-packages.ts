// Packages of PyPI in an environment of their own. Changes when they are installed in another way.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why they cannot be had here; empty where they can. */
export const pythonIsMissing: string =
  spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0 ? "" : "no Python with venv";

/**
 * The Python that has these packages (`NAME==VERSION`), in `latchkey-tests` of the user's cache folder. Installed from PyPI
 * once; later runs find it.
 */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "latchkey-tests");
  const folder = join(cache, packages.join("-").replaceAll("==", "-"));
  const python = join(folder, "bin", "python");
  // Written last: an installation that was interrupted is made anew.
  const finished = join(folder, "finished");
  if (existsSync(finished)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await run("python3", ["-m", "venv", folder]);
  await run(python, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    ...packages,
  ]);
  renameSync(mkdtempSync(join(folder, "unfinished-")), finished);
  return python;
}
