// The prompt of a real process on a real terminal. Changes when a terminal is used in another way.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle-module.ts";
import { noTerminal, startOnTerminal } from "../../test/support/terminal-process.ts";

let module: string;
let waitModule: string;
beforeAll(async () => {
  module = await bundleModule(
    fileURLToPath(new URL("../../test/support/prompt-process.ts", import.meta.url)),
  );
  waitModule = await bundleModule(
    fileURLToPath(new URL("../../test/support/wait-process.ts", import.meta.url)),
  );
});

test.skipIf(noTerminal !== undefined)(
  "a long address is taken whole, is not shown, and then nothing holds the process or the terminal [I1][I3]",
  async () => {
    const terminal = startOnTerminal(`'${process.execPath}' '${module}'; stty -a`);
    await terminal.until(/\u001b\[2K> $/u);
    // A terminal's own line mode ends at 4,096 characters.
    const address = `http://127.0.0.1:8765/callback?state=s1&code=${"secret-code".repeat(600)}`;
    terminal.child.stdin?.write(`${address}\r`);
    expect(await terminal.finished).toEqual([0, null]);
    expect(terminal.output()).toContain(`pasted ${address.length}`);
    expect(terminal.output()).not.toContain("secret-code");
    expect(terminal.output()).toMatch(/ icanon .* echo /su);
  },
);

// The shell on the same terminal is interrupted too, and goes on.
const interrupted = (words: string): string =>
  `trap : INT; '${process.execPath}' '${module}' ${words}; echo "status=$?"; stty -a`;

test.skipIf(noTerminal !== undefined)(
  "Ctrl-C at the prompt interrupts the process, and the terminal is as it was",
  async () => {
    const terminal = startOnTerminal(interrupted("none"));
    await terminal.until(/\u001b\[2K> $/u);
    terminal.child.stdin?.write("\u0003");
    await terminal.finished;
    expect(terminal.output()).toContain("status=130");
    expect(terminal.output()).toMatch(/ icanon .* echo /su);
  },
);

test.skipIf(noTerminal !== undefined).for([
  ["Ctrl-\\ at the prompt", "\u001c", undefined, 131],
  ["SIGHUP from outside", undefined, "SIGHUP", 129],
  ["SIGQUIT from outside", undefined, "SIGQUIT", 131],
  ["SIGUSR2 from outside", undefined, "SIGUSR2", 140],
] as const)("%s: the terminal is as it was [F-T7]", async ([, key, signal, status]) => {
  const terminal = startOnTerminal(
    `trap : QUIT; ulimit -c 0; sh -c 'echo pid=$$; exec "$0" "$1"' '${process.execPath}' '${module}'; echo "status=$?"; stty -a`,
  );
  const [, pid] = await terminal.until(/pid=(\d+)\r\n/u);
  await terminal.until(/\u001b\[2K> $/u);
  if (key !== undefined) terminal.child.stdin?.write(key);
  if (signal !== undefined) process.kill(Number(pid), signal);
  await terminal.finished;
  expect(terminal.output()).toContain(`status=${status}`);
  expect(terminal.output()).toMatch(/ icanon .* echo /su);
});

test.skipIf(noTerminal !== undefined)(
  "a background job is not stopped for its terminal, and takes an address once it is in the foreground [F-T8]",
  async () => {
    const terminal = startOnTerminal(
      `set -m; sh -c 'echo pid=$$; exec "$0" "$1"' '${process.execPath}' '${module}' & read go; fg %1; echo "status=$?"`,
    );
    const [, pid] = await terminal.until(/pid=(\d+)\r\n/u);
    await terminal.until(/bring it to the foreground/u);
    expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) [RS] /u);
    terminal.child.stdin?.write("\n");
    await terminal.until(/\u001b\[2K> $/u);
    terminal.child.stdin?.write("http://127.0.0.1:8765/callback?state=s1&code=c\r");
    await terminal.finished;
    expect(terminal.output()).toContain("pasted 46");
    expect(terminal.output()).toContain("status=0");
  },
);

test.skipIf(noTerminal !== undefined)(
  "with a browser opened, nothing is read and Ctrl-C is the terminal's",
  async () => {
    const terminal = startOnTerminal(interrupted("opened"));
    await terminal.until(/Waiting for the browser \(\d:\d\d\)/u);
    terminal.child.stdin?.write("\u0003");
    await terminal.finished;
    expect(terminal.output()).toContain("status=130");
  },
);

test.skipIf(noTerminal !== undefined).for([
  [
    80,
    "Process 4711 is renewing the token; waiting (Ctrl-C stops waiting, not it).",
    "Process 4711 is signing in; waiting for it (Ctrl-C stops waiting, not it).",
  ],
  [40, "Waiting for process 4711.", "Process 4711 is signing in; waiting."],
] as const)(
  "a wait at %i columns: one line that follows the other process, and then nothing",
  async ([columns, renewing, signingIn]) => {
    // Without echo: what is typed to go on must not move the cursor.
    const terminal = startOnTerminal(
      `stty cols ${columns} -echo; '${process.execPath}' '${waitModule}'; echo "status=$?"`,
    );
    const goOnAt = async (end: string): Promise<void> => {
      await terminal.until(new RegExp(`${end.replace(/[[().]/gu, "\\$&")}$`, "u"));
      terminal.child.stdin?.write("\n");
    };
    await goOnAt("ready\r\n");
    await goOnAt(`\r\u001b[2K${renewing}`);
    await goOnAt(`\r\u001b[2K${signingIn}`);
    await terminal.finished;
    expect(terminal.output()).toBe(
      `ready\r\n\r\u001b[2K${renewing}\r\u001b[2K${signingIn}\r\u001b[2Kover\r\nstatus=0\r\n`,
    );
  },
);
