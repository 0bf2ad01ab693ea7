// Prints the table of the tools that the tests run with one sign-in. Changes when it is to show something else of them.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCommand } from "./debian-packages.mjs";

const folder = fileURLToPath(new URL("../test/long", import.meta.url));

/** How each program tells its version. */
const programs = {
  git: ["git", "--version"],
  curl: ["curl", "--version"],
  skopeo: ["skopeo", "--version"],
  cargo: ["cargo", "--version"],
  kubectl: ["kubectl", "version", "--client"],
};

/** @param {readonly string[]} words */
function versionOf([command = "", ...parameters]) {
  if (findCommand(command) === undefined) return "not installed";
  const { stdout } = spawnSync(command, parameters, { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "unknown";
}

const tests = readdirSync(folder)
  .filter((name) => name.startsWith("tools"))
  .flatMap((name) =>
    [
      ...readFileSync(join(folder, name), "utf8").matchAll(
        /^test\S*?\((?:![^)]*\)\()?\s*"([^"]+)"/gm,
      ),
    ].map(([, title = ""]) => ({ name, title })),
  );
const rows = Object.entries(programs).map(([tool, words]) => {
  const own = tests.filter(({ title }) => new RegExp(`\\b${tool}\\b`).test(title));
  if (own.length === 0) throw new Error(`no test is about ${tool}`);
  return `| ${tool} | ${versionOf(words)} | ${own.map(({ title }) => title).join("; ")} |`;
});
process.stdout.write(
  [
    "| tool | version here | tests |",
    "|---|---|---|",
    ...rows,
    "",
    `${String(rows.length)} tools`,
    "",
  ].join("\n"),
);
