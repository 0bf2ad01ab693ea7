// Changes when tests of the lock talk to its processes in another way.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import type { LockCommand } from "./lock-worker.ts";

/** One line that the process said. */
export interface LockEvent {
  readonly event: string;
  readonly [member: string]: unknown;
}

/** An operating-system process that takes locks as it is told to. */
export interface LockProcess {
  readonly child: ChildProcess;
  readonly processId: number;
  tell(command: LockCommand): void;
  /** The first event of one of these names that nobody has asked for yet; rejects when the process ends without. */
  next(...names: string[]): Promise<LockEvent>;
  /** Nothing more will be told: the process may end by itself. */
  release(): void;
  /** Resolves with code or signal when the process has ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Talks to a process that runs the bundled `lock-worker.ts`, as soon as it listens. */
export async function attachLockProcess(child: ChildProcess): Promise<LockProcess> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("standard input and output must be pipes");
  // Writing to a process that was killed on purpose is no fault of the test.
  stdin.on("error", () => undefined);
  const events: LockEvent[] = [];
  let changed: () => void = () => undefined;
  let change = new Promise<void>((resolve) => (changed = resolve));
  const wake = (): void => {
    changed();
    change = new Promise((resolve) => (changed = resolve));
  };
  let isOver = false;
  const lines = createInterface({ input: stdout });
  lines.on("line", (line) => {
    events.push(JSON.parse(line) as LockEvent);
    wake();
  });
  lines.once("close", () => {
    isOver = true;
    wake();
  });
  const ended = once(child, "exit").then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null,
  );
  const lockProcess: LockProcess = {
    child,
    processId: child.pid ?? 0,
    ended,
    tell: (command) => void stdin.write(`${JSON.stringify(command)}\n`),
    release: () => stdin.end(),
    async next(...names) {
      for (;;) {
        const index = events.findIndex((event) => names.includes(event.event));
        const [found] = index === -1 ? [] : events.splice(index, 1);
        if (found !== undefined) return found;
        if (isOver) {
          throw new Error(`ended without ${names.join(" or ")}: ${JSON.stringify(events)}`);
        }
        await change;
      }
    },
  };
  await lockProcess.next("ready");
  return lockProcess;
}
