// A client secret that has to be waited for: from a FIFO, or typed on a terminal.

import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createHome, type Home } from "../../src/cli/testing.ts";
import { startLatchkey } from "../support/command-line.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";

// Nobody answers there: with a secret in hand, the command fails at once.
const flags = ["--issuer", "http://127.0.0.1:9", "--client-id", "my-cli"];

function home(): Home {
  const made = createHome();
  onTestFinished(() => made.remove());
  return made;
}

test("Ctrl-C ends the wait for a FIFO that says nothing [F-S11]", async () => {
  const { path } = home();
  const fifo = join(path, "secret");
  spawnSync("mkfifo", [fifo]);
  const running = startLatchkey(["login", ...flags, "--client-secret-file", fifo], { home: path });
  // Opening it to write waits for the reader.
  const writer = await open(fifo, "w");
  onTestFinished(() => writer.close());
  running.kill("SIGINT");
  const ended = await running.finished;
  expect([ended.code, ended.stderr]).toEqual([130, "Stopped before it was done. [aborted]\n"]);
});

test.skipIf(noTerminal !== undefined).for([
  ["standard input", "-"],
  ["the terminal by its path", "/dev/tty"],
])("a secret that is typed on %s is not shown [F-S11]", async ([, file]) => {
  const { path } = home();
  const line = `${latchkeyLine(["login", ...flags, "--client-secret-file", String(file)])}; stty -a`;
  const terminal = startOnTerminal(line, { home: path });
  await terminal.until(/Client secret \(it is not shown\): $/u);
  terminal.child.stdin?.write("hunter2-hunter2\r");
  await terminal.finished;
  expect(terminal.output()).toContain("[network");
  expect(terminal.output()).toContain("status=6");
  expect(terminal.output()).not.toContain("hunter2");
  expect(terminal.output()).toMatch(/ icanon .* echo /su);
});

test.skipIf(noTerminal !== undefined)(
  "Ctrl-C while a secret is typed ends the command, and the terminal is as it was [F-S11]",
  async () => {
    const { path } = home();
    const line = `trap : INT; ${latchkeyLine(["login", ...flags, "--client-secret-file", "-"])}; stty -a`;
    const terminal = startOnTerminal(line, { home: path });
    await terminal.until(/Client secret \(it is not shown\): $/u);
    terminal.child.stdin?.write("hunter2\u0003");
    await terminal.finished;
    expect(terminal.output()).toContain("status=130");
    expect(terminal.output()).not.toContain("hunter2");
    expect(terminal.output()).toMatch(/ icanon .* echo /su);
  },
);
