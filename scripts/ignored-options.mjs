// Proves that every option has a test: makes each option in turn ignored, by one line in options/resolve, and lists the
// tests that fail. Fails where none does. `node scripts/ignored-options.mjs [OPTION …]`

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// The one that no test without a second machine can see.
const withoutFlow = new Set(["allowInsecureHttp"]);

const line = "const value = own[row.name];";
const ignoring = (name) => `const value = row.name === "${name}" ? undefined : own[row.name];`;

const original = readFileSync(join(root, "src/options/resolve.ts"), "utf8");
if (original.split(line).length !== 2) {
  throw new Error(`options/resolve has no longer the line: ${line}`);
}

/** A copy of what the tests need, to be changed. */
function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), "latchkey-ignored-"));
  process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
  for (const path of ["src", "test", "demo", "package.json", "vitest.config.ts", "tsconfig.json"]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

const table = readFileSync(join(root, "src/options/table.ts"), "utf8");
const known = [...table.matchAll(/\bname: "(\w+)"/g)].map(([, name]) => name);
const names =
  process.argv.length > 2 ? process.argv.slice(2) : known.filter((name) => !withoutFlow.has(name));

const testFiles = [
  "test/flow/options.test.ts",
  "test/flow/authorization-options.test.ts",
  "test/flow/form-post.test.ts",
  "test/flow/listener-options.test.ts",
  "test/flow/resource-client.test.ts",
  "test/flow/server-config.test.ts",
  "test/flow/storage-option.test.ts",
  "src/credential/sign-in-command.test.ts",
];

/** The files with an option's own test: to load the others takes longer than the test. @param {string} name */
function filesWith(name) {
  const own = testFiles.filter((file) =>
    readFileSync(join(root, file), "utf8").includes(`"${name}:`),
  );
  return own.length > 0 ? own : testFiles;
}

/**
 * The tests that fail in a copy, of those whose title has `title` in it; stops at the first where `bail` is true.
 * @param {string} copy @param {{ title?: string, bail?: boolean, files?: readonly string[] }} [which]
 */
async function failingTests(copy, { title = "", bail = false, files = testFiles } = {}) {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const run = spawn(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      ...files,
      ...(title === "" ? [] : ["-t", title]),
      ...(bail ? ["--bail=1"] : []),
      "--reporter=json",
      `--outputFile=${report}`,
    ],
    { cwd: copy, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "" } },
  );
  let output = "";
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  }
  await once(run, "close");
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch (error) {
    throw new Error(`the tests did not run:\n${output}`, { cause: error });
  }
  const all = result.testResults.flatMap((file) => file.assertionResults);
  if (all.length === 0) throw new Error("no test ran");
  return all.filter((test) => test.status === "failed").map((test) => test.title);
}

const copies = Array.from({ length: 2 }, makeCopy);
const before = await failingTests(copies[0]);
if (before.length > 0) throw new Error(`fails without any change: ${before.join("; ")}`);

let unproven = 0;
const waiting = [...names];
/** One option after the other in one copy, until none is left. @param {string} copy */
async function ignoreInTurn(copy) {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    writeFileSync(join(copy, "src/options/resolve.ts"), original.replace(line, ignoring(name)));
    // Its own test first: without a prompt or a timeout every other one would wait for its end.
    const own = await failingTests(copy, { title: name, files: filesWith(name) });
    const failed = own.length > 0 ? own : await failingTests(copy, { bail: true });
    if (failed.length === 0) unproven += 1;
    console.log(
      `${name}: ${failed.length === 0 ? "NO TEST FAILS" : `${failed.length} fail, among them: ${failed[0]}`}`,
    );
  }
}
await Promise.all(copies.map(ignoreInTurn));
process.exitCode = unproven === 0 ? 0 : 1;
