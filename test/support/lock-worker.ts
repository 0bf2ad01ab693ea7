// A process that takes a lock as it is told to, one command a line. Changes when tests of the lock need another one.
// Bundled by `bundleModule` and run by `useLockFolder`: `worker.mjs FOLDER SPEED SLEEP_SPEED [ENDPOINT]`.
import { closeSync, constants, openSync, unlinkSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";

import { isOidcError } from "../../src/core/errors.ts";
import { hostIdentity } from "../../src/lock/host.ts";
import { createProcessLock } from "../../src/lock/protocol.ts";
import { isEmulated, emulatedEndpoint } from "../../src/lock/testing.ts";
import type { Lease, SharedOutcome, WorkOutcome, WorkPhase } from "../../src/lock/types.ts";
import { createFastClock } from "./fast-clock.ts";

/** What a test tells the process. */
export type LockCommand =
  | { do: "acquire"; name: string; waitForLogin?: boolean; longestWorkSeconds?: number }
  /** Acquire until it is held, as often as a holder ends without an outcome. */
  | { do: "takeOver"; name: string }
  | { do: "announce"; phase: WorkPhase }
  | { do: "finish"; outcome: WorkOutcome }
  | { do: "abandon" }
  | { do: "abort" }
  | { do: "inspect"; name: string }
  /** Say where it runs. */
  | { do: "host" }
  /** Open files until there are no descriptors left; close them again. */
  | { do: "useUpDescriptors" }
  | { do: "freeDescriptors" }
  /** Block the event loop. */
  | { do: "block"; milliseconds: number }
  /** Finish and leave at once, as a command line does. */
  | { do: "finishAndExit"; outcome: WorkOutcome }
  /** Acquire until it was held `times` times; prove each time with the side file that nobody else has it. */
  | { do: "takeTurns"; name: string; sideFile: string; times: number }
  /** Acquire; the holder "works" for a while and finishes, a waiter takes the outcome. */
  | { do: "share"; name: string; workMilliseconds: number; outcome: WorkOutcome };

const [, , folder = "", speed = "1", sleepSpeed = speed, system = ""] = process.argv;
const clock = createFastClock(Number(speed), Number(sleepSpeed));
const lock = createProcessLock({
  folder,
  clock,
  randomBytes: (length) => randomBytes(length),
  onWarning: (code) => say({ event: "warning", code }),
  logger: ({ name, data }) => {
    if (name === "lock.unavailable") say({ event: "unavailable", ...data });
  },
  ...(isEmulated(system) ? { endpoint: emulatedEndpoint(system, folder) } : {}),
});
let lease: Lease | undefined;
let abort = new AbortController();
const spareDescriptors: number[] = [];

function say(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function acquire(
  name: string,
  waitForLogin = true,
  longestWorkSeconds = 60,
): Promise<Lease | SharedOutcome> {
  abort = new AbortController();
  return lock.acquire(name, {
    signal: abort.signal,
    longestWorkSeconds: () => longestWorkSeconds,
    waitForLogin,
    onWaiting: (holder) => say({ event: "waiting", ...holder }),
  });
}

async function takeTurns(name: string, sideFile: string, times: number): Promise<void> {
  for (let turns = 0; turns < times;) {
    const result = await acquire(name);
    if (!result.held) continue;
    // Fails where anybody else is between these two lines.
    const descriptor = openSync(
      sideFile,
      constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY,
    );
    await clock.sleep(1);
    closeSync(descriptor);
    unlinkSync(sideFile);
    turns += 1;
    if (turns % 2 === 0) await result.abandon();
    else await result.finish({ kind: "done", version: "turn" });
  }
  say({ event: "turnsTaken" });
}

async function run(command: LockCommand): Promise<void> {
  switch (command.do) {
    case "acquire": {
      const result = await acquire(command.name, command.waitForLogin, command.longestWorkSeconds);
      if (result.held) {
        lease = result;
        say({ event: "held", acrossProcesses: lease.acrossProcesses });
      } else say({ event: "shared", outcome: result.outcome });
      return;
    }
    case "takeOver": {
      let result = await acquire(command.name);
      while (!result.held && result.outcome === null) result = await acquire(command.name);
      if (result.held) lease = result;
      say(
        result.held
          ? { event: "held", acrossProcesses: result.acrossProcesses }
          : { event: "shared" },
      );
      return;
    }
    case "announce":
      lease?.announce(command.phase);
      return;
    case "finish":
      await lease?.finish(command.outcome);
      say({ event: "finished" });
      return;
    case "finishAndExit":
      await lease?.finish(command.outcome);
      process.exit(0);
      return;
    case "abandon":
      await lease?.abandon();
      say({ event: "finished" });
      return;
    case "abort":
      abort.abort(new Error("stop waiting"));
      return;
    case "inspect":
      say({ event: "inspected", holder: await lock.holder(command.name) });
      return;
    case "host":
      say({ event: "host", identity: hostIdentity() });
      return;
    case "useUpDescriptors":
      try {
        for (;;) spareDescriptors.push(openSync("/dev/null", constants.O_RDONLY));
      } catch {
        say({ event: "usedUp" });
      }
      return;
    case "freeDescriptors":
      for (const descriptor of spareDescriptors.splice(0)) closeSync(descriptor);
      return;
    case "block":
      say({ event: "blocking" });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.milliseconds);
      return;
    case "takeTurns":
      await takeTurns(command.name, command.sideFile, command.times);
      return;
    case "share": {
      const result = await acquire(command.name);
      if (result.held) {
        await clock.sleep(command.workMilliseconds);
        await result.finish(command.outcome);
      }
      say({
        event: "sharing",
        held: result.held,
        outcome: result.held ? command.outcome : result.outcome,
      });
    }
  }
}

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  run(JSON.parse(line) as LockCommand).catch((error: unknown) => {
    say({
      event: "rejected",
      code: isOidcError(error) ? (error as { code?: unknown }).code : undefined,
      message: error instanceof Error ? error.message : String(error),
    });
  });
});
say({ event: "ready" });
