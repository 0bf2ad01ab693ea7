// A shell command line on a terminal of its own. Changes when a terminal is made in another way.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

// util-linux's `script` gives a process a terminal.
const script = "/usr/bin/script";

/** Why there can be no terminal here; undefined where there can. */
export const noTerminal: string | undefined =
  process.platform === "linux" && existsSync(script) ? undefined : "needs script(1) of util-linux";

/** What runs on a terminal. */
export interface TerminalProcess {
  readonly child: ChildProcess;
  /** Everything that was written so far, with the terminal's carriage returns. */
  readonly output: () => string;
  /** The first match in the output; rejects when the process ends without one. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly finished: Promise<unknown>;
}

/** The words for `latchkey` in a shell's line, and then what status it ended with. */
export function latchkeyLine(words: readonly string[]): string {
  const command = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));
  return `'${process.execPath}' '${command}' ${words.join(" ")}; echo "status=$?"`;
}

/** Runs a line of shell until the test is over. `home`: with no other environment than that of a person who has it. */
export function startOnTerminal(
  line: string,
  options: { readonly home?: string; readonly env?: Readonly<Record<string, string>> } = {},
): TerminalProcess {
  const { home, env = {} } = options;
  const surroundings =
    home === undefined ? process.env : { PATH: process.env["PATH"] ?? "", HOME: home };
  const child = spawn(script, ["--quiet", "--return", "--command", line, "/dev/null"], {
    cwd: home,
    env: { ...surroundings, SHELL: "/bin/sh", TERM: "xterm", ...env },
  });
  onTestFinished(() => void child.kill());
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  const finished = once(child, "close");
  return {
    child,
    output: () => output,
    until: async (pattern) => {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (child.exitCode !== null) {
          throw new Error(`ended without ${String(pattern)}:\n${output}`);
        }
        await Promise.race([once(child.stdout, "data"), finished]);
      }
    },
    finished,
  };
}
