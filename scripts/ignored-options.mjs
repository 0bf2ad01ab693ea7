// Proves that every option has a test: makes each option in turn ignored, by one line in options/resolve, and lists the
// tests that fail. Fails where none does. `node scripts/ignored-options.mjs [OPTION …]`

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// Readable, but its flow is not part of this version (asking the server); and the one that no test without a second
// machine can see.
const withoutFlow = new Set(["useServerAudience", "allowInsecureHttp"]);

const line = "const value = given[row.name];";
const ignoring = (name) => `const value = row.name === "${name}" ? undefined : given[row.name];`;

const copy = mkdtempSync(join(tmpdir(), "latchkey-ignored-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const path of ["src", "test", "demo", "package.json", "vitest.config.ts", "tsconfig.json"]) {
  cpSync(join(root, path), join(copy, path), { recursive: true });
}
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

const resolve = join(copy, "src/options/resolve.ts");
const original = readFileSync(resolve, "utf8");
if (original.split(line).length !== 2) {
  throw new Error(`options/resolve has no longer the line: ${line}`);
}

const table = readFileSync(join(root, "src/options/table.ts"), "utf8");
const known = [...table.matchAll(/\bname: "(\w+)"/g)].map(([, name]) => name);
const names =
  process.argv.length > 2 ? process.argv.slice(2) : known.filter((name) => !withoutFlow.has(name));

/** The tests that fail, of those whose title has `title` in it; stops at the first where `bail` is true. */
function failingTests({ title = "", bail = false } = {}) {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "test/flow/options.test.ts",
      "test/flow/authorization-options.test.ts",
      "test/flow/listener-options.test.ts",
      ...(title === "" ? [] : ["-t", title]),
      ...(bail ? ["--bail=1"] : []),
      "--reporter=json",
      `--outputFile=${report}`,
    ],
    { cwd: copy, encoding: "utf8", env: { ...process.env, CI: "" } },
  );
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch (error) {
    throw new Error(`the tests did not run:\n${run.stdout}\n${run.stderr}`, { cause: error });
  }
  const all = result.testResults.flatMap((file) => file.assertionResults);
  if (all.length === 0) throw new Error("no test ran");
  return all.filter((test) => test.status === "failed").map((test) => test.title);
}

const before = failingTests();
if (before.length > 0) throw new Error(`fails without any change: ${before.join("; ")}`);

let unproven = 0;
for (const name of names) {
  writeFileSync(resolve, original.replace(line, ignoring(name)));
  // Its own test first: without a prompt or a timeout every other one would wait for its end.
  const own = failingTests({ title: name });
  const failed = own.length > 0 ? own : failingTests({ bail: true });
  if (failed.length === 0) unproven += 1;
  console.log(
    `${name}: ${failed.length === 0 ? "NO TEST FAILS" : `${failed.length} fail, among them: ${failed[0]}`}`,
  );
}
writeFileSync(resolve, original);
process.exitCode = unproven === 0 ? 0 : 1;
