// The full program as a process: signals, exit status, and the end. Changes when the way a process ends does.

import { isatty } from "node:tty";
import { OidcError } from "../core/errors.ts";
import { outcomePageSeconds } from "../core/limits.ts";
import { thisMachine } from "../options/paths.ts";
import { liveLineOf } from "../interaction/live-line.ts";
import { forwardedSignals } from "./exec-signals.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";
import { tell } from "./output.ts";
import { runProgram } from "./program.ts";
import { stopped } from "./render/texts.ts";

/** 128 + the signal's number, as a shell counts it; reached by exiting, so that locks and listeners are closed first. */
const exitStatusOf = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitStatusOf;
const stopSignals = Object.keys(exitStatusOf) as StopSignal[];

// Longer than it takes to close a listener and tell waiting processes, short enough for somebody who pressed Ctrl-C.
const maxCleanUpMilliseconds = 2000;

const background = new Set<Promise<void>>();
const controller = new AbortController();
let stoppedBy: StopSignal | undefined;
let forward: ((signal: NodeJS.Signals) => void) | undefined;

function stop(signal: StopSignal): void {
  if (forward !== undefined) {
    forward(signal);
    return;
  }
  // The second one means it: whatever still hangs is left behind.
  if (stoppedBy !== undefined) process.exit(exitStatusOf[signal]);
  stoppedBy = signal;
  setTimeout(() => process.exit(exitStatusOf[signal]), maxCleanUpMilliseconds).unref();
  controller.abort(
    new OidcError("aborted", "The command was asked to stop.", { reason: "interrupted" }),
  );
}

/** Gives a browser the moment that it needs to fetch the outcome's page; nothing else holds the process then. */
async function lingerFor(work: ReadonlySet<Promise<void>>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled(work), limit]);
  clearTimeout(timer);
}

// The core file that SIGQUIT leaves by default would hold tokens.
for (const signal of stopSignals) process.on(signal, stop);
// Before standard error is opened, which takes a descriptor of its own.
const inherited = process.argv.includes("exec") ? inheritedDescriptors() : [];
// Nobody is left to be told anything; the work goes on, and its result is on standard output.
process.stderr.on("error", () => undefined);

// Not awaited at the top level: only ES modules can be, and those are not loaded again where that failed.
async function run(): Promise<void> {
  const status = await runProgram({
    argumentList: process.argv.slice(2),
    machine: thisMachine(),
    signal: controller.signal,
    background,
    inheritedDescriptors: inherited,
    handOverSignals: (receiver) => {
      forward = receiver;
      for (const signal of forwardedSignals) {
        if (!(signal in exitStatusOf)) process.on(signal, receiver);
      }
    },
  });
  process.exitCode = status;
  if (stoppedBy === undefined) {
    await lingerFor(background, outcomePageSeconds * 1000);
  } else {
    process.exitCode = exitStatusOf[stoppedBy];
    // Before the work winds down: its countdown would be drawn once more, below the last words. `^C` may stand there too.
    liveLineOf({ stderr: process.stderr, environment: process.env }).end();
    const canErase = isatty(2) && process.env["TERM"] !== "dumb";
    tell(canErase ? `\r\u001b[K${stopped}` : stopped);
  }
  // What still runs has nothing more to give: an open connection must not hold the shell.
  setTimeout(() => process.exit(), 1000).unref();
}

void run();
