// The reference system's own Python client, in an environment of its own. Changes when another version of it is tested.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

// Its other packages are those that it asks for.
const packages = ["xgt==2.7.0", "grpcio==1.85.3", "protobuf==7.36.2"];

/** Why it cannot be had here; empty where it can. */
export const xgtIsMissing: string =
  spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0 ? "" : "no Python with venv";

/**
 * The Python that has it, in `latchkey-tests` of the user's cache folder. Installed from PyPI once; later runs find it.
 */
export async function xgtPython(): Promise<string> {
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
