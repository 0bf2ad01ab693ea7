// Publishes the version in package.json with provenance, from the release workflow. With `--check` it says whether it would:
// whether tag, version, changelog and repository agree.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version, repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");

/** Why nothing is published. */
function faults() {
  const { GITHUB_REF_NAME: tag, GITHUB_REPOSITORY: workflowOf } = process.env;
  const address = typeof repository === "string" ? repository : (repository?.url ?? "");
  return [
    tag === `v${version}` ? "" : `The tag is ${tag ?? "missing"}, and the version is ${version}.`,
    changelog.includes(`\n## ${version}`) ? "" : `CHANGELOG.md has no heading "## ${version}".`,
    // npm compares them, after everything else has been done.
    workflowOf !== undefined && address.includes(workflowOf)
      ? ""
      : "`repository` in package.json is not the repository of this workflow.",
  ].filter((fault) => fault !== "");
}

/** @param {string} command @param {readonly string[]} parameters */
function run(command, parameters) {
  const { status, error } = spawnSync(command, parameters, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")} failed`);
}

const found = faults();
for (const fault of found) console.error(fault);
if (found.length > 0) process.exitCode = 1;
else if (!process.argv.includes("--check")) {
  // npm's own program, by the Node that runs this one.
  const npm = process.env["npm_execpath"] ?? join(dirname(process.execPath), "npm");
  const [command, first] = npm.endsWith(".js") ? [process.execPath, [npm]] : [npm, []];
  for (const script of ["build", "generate:check", "check:package"]) {
    run(command, [...first, "run", script]);
  }
  run(command, [...first, "publish", "--provenance", "--access", "public", "--ignore-scripts"]);
}
