// The model of the lock protocol, checked by Spin: it holds, and with a guard taken away it does not.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { needs } from "../../support/debian-packages.ts";
import { testsCache } from "../../support/installed-once.ts";

const script = fileURLToPath(new URL("../../../scripts/check-lock-model.mjs", import.meta.url));
const model = fileURLToPath(new URL("../../../docs/lock/lock.pml", import.meta.url));
const canRun = [needs("spin"), needs("gcc")].every(({ available }) => available);

function check(...parameters: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...parameters], {
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

/** What decides the outcome of a check, as a name: the model, the checks themselves, and the programs that run them. */
function nameOfCheck(path: string): string {
  const digest = createHash("sha256");
  for (const file of [path, script]) digest.update(readFileSync(file)).update("\0");
  for (const program of [
    ["spin", "-V"],
    ["gcc", "--version"],
    ["uname", "-m"],
  ] as const) {
    const [command, ...parameters] = program;
    digest.update(spawnSync(command, parameters, { encoding: "utf8" }).stdout).update("\0");
  }
  return `${basename(path)}-${digest.digest("hex")}.txt`;
}

/**
 * A whole check. Each looks at every state that there is, for minutes, and has one outcome: the output of one that went
 * well on this machine is kept until the model, the script or the programs change.
 */
function wholeCheck(path: string): { status: number | null; output: string } {
  const kept = join(testsCache, nameOfCheck(path));
  if (existsSync(kept)) {
    return { status: 0, output: `As it went before, in ${kept}:\n${readFileSync(kept, "utf8")}` };
  }
  const result = check("--model", path);
  if (result.status === 0) {
    mkdirSync(testsCache, { recursive: true });
    const unfinished = `${kept}.${process.pid}`;
    writeFileSync(unfinished, result.output);
    renameSync(unfinished, kept);
  }
  return result;
}

/** The model with one text in the place of another, as a file. */
function changedModel(from: string, to: string): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-model-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = readFileSync(model, "utf8");
  expect(text.split(from).length).toBe(2);
  const path = join(folder, "changed.pml");
  writeFileSync(path, text.replace(from, to));
  return path;
}

test.skipIf(!canRun)(
  "the lock protocol holds in every run, and each guard that is taken away is missed [R01 R02 R03 R08]",
  { timeout: 1_800_000 },
  () => {
    const { status, output } = wholeCheck(model);
    process.stdout.write(output);
    expect(output).toMatch(/^\d+ runs, 0 not as expected, 0 lines never reached$/m);
    expect(output).not.toMatch(/NOT NOTICED|NO RESULT|FAILS/);
    expect(output.match(/ holds$/gm)).toHaveLength(26);
    expect(output.match(/ fails, as it must$/gm)).toHaveLength(19);
    expect(status).toBe(0);
  },
);

test.skipIf(!canRun)(
  "a lock in a folder has one holder at a time, and each step that is taken away is missed [F-S4]",
  { timeout: 600_000 },
  () => {
    const { status, output } = wholeCheck(model.replace("lock.pml", "take.pml"));
    process.stdout.write(output);
    expect(output).toMatch(/^5 runs, 0 not as expected, 0 lines never reached$/m);
    expect(status).toBe(0);
  },
);

test.skipIf(!canRun)(
  "what a holder does that was stopped for longer than its lease undoes nothing, and each guard is missed",
  { timeout: 600_000 },
  () => {
    const { status, output } = wholeCheck(model.replace("lock.pml", "lease.pml"));
    process.stdout.write(output);
    expect(output).toMatch(/^10 runs, 0 not as expected, 0 lines never reached$/m);
    expect(output.match(/ fails, as it must$/gm)).toHaveLength(5);
    expect(status).toBe(0);
  },
);

test.skipIf(!canRun)("a protocol that does not hold fails the check", () => {
  const path = changedModel("#ifndef NO_INTENT /* MUTATION */", "#ifdef NO_INTENT");
  const { status, output } = check("--model", path, "refused-on-repeat");
  expect(output).toContain("FAILS: no rotated token is lost");
  expect(status).toBe(1);
});

test.skipIf(!canRun)("a guard that nobody misses fails the check", () => {
  const path = changedModel("#ifndef NO_INTENT /* MUTATION */", "#ifndef NO_SUCH_GUARD");
  const { status, output } = check("--model", path, "NO_INTENT");
  expect(output).toContain("NOT NOTICED");
  expect(status).toBe(1);
});

test.skipIf(!canRun)("a search that was cut short fails the check", () => {
  const { status, output } = check("--depth", "50", "refused-on-repeat");
  expect(output).toContain("NO RESULT: the search was not exhaustive");
  expect(status).toBe(1);
});
