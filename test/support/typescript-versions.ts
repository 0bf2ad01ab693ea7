// Other versions of TypeScript, downloaded once.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "latchkey-tests");

/** The path of `tsc` in the newest version of a range such as `~5.9`; npm checks the archive's digest. */
export function compilerOf(range: string): string {
  const finished = join(cache, `typescript-${range.replace(/[^\d.]/g, "")}`);
  const compiler = join(finished, "node_modules", "typescript", "bin", "tsc");
  if (existsSync(compiler)) return compiler;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "unfinished-"));
  try {
    writeFileSync(join(work, "package.json"), '{ "private": true }');
    const { status, stderr } = spawnSync(
      "npm",
      ["install", "--ignore-scripts", "--no-audit", "--no-fund", `typescript@${range}`],
      { cwd: work, encoding: "utf8", timeout: 300_000 },
    );
    if (status !== 0) throw new Error(`could not install typescript@${range}: ${stderr}`);
    rmSync(finished, { recursive: true, force: true });
    renameSync(work, finished);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return compiler;
}
