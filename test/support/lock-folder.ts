// A folder of locks and the processes that take them, anew for each test of a file. Changes when tests of the lock need
// another set-up.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeAll, beforeEach } from "vitest";

import { bundleModule } from "./bundle-module.ts";
import { attachLockProcess, type LockProcess } from "./lock-process.ts";

/** How a process is started that takes locks. */
export interface LockProcessStart {
  /** What runs the worker: a sandbox, another network. Default: nothing. */
  readonly words?: readonly string[];
  /** The folder of its `lock-id`. Default: the test's. */
  readonly folder?: string;
  /** How much faster than real its waits are. Default: 1. */
  readonly speed?: number;
  /** How much faster than real its timers are. Default: `speed`. */
  readonly sleepSpeed?: number;
  /** See `emulatedEndpoint`. Default: this system. */
  readonly system?: string;
}

/** What a test of the lock works with. */
export interface LockFolder {
  /** The bundled `lock-worker.ts`. */
  readonly worker: string;
  /** Does not exist yet when a test begins; the folder above it does. */
  readonly folder: string;
  /** Starts a process and waits until it listens to commands; it is ended after the test. */
  start(options?: LockProcessStart): Promise<LockProcess>;
  startMany(count: number, options?: LockProcessStart): Promise<LockProcess[]>;
  /** Ends a process after the test that was started in another way. */
  endAfterTest(...processes: readonly LockProcess[]): void;
}

/** To be called once in a file of tests. `prefix` of the folder's name: some systems' sockets want it short. */
export function useLockFolder(prefix: string = "latchkey-lock-"): LockFolder {
  let worker = "";
  let folder = "";
  let started: LockProcess[] = [];

  beforeAll(async () => {
    worker = await bundleModule(fileURLToPath(new URL("lock-worker.ts", import.meta.url)));
  });

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), prefix)), "state");
  });

  afterEach(async () => {
    for (const one of started) one.child.kill("SIGKILL");
    await Promise.all(started.map((one) => one.ended));
    started = [];
    await rm(join(folder, ".."), { recursive: true, force: true });
  });

  const start = async (options: LockProcessStart = {}): Promise<LockProcess> => {
    const { words = [], speed = 1, sleepSpeed = speed, system = "" } = options;
    const told = [options.folder ?? folder, String(speed), String(sleepSpeed), system];
    const [command, ...parameters] = [...words, process.execPath, worker];
    const one = await attachLockProcess(
      spawn(command, [...parameters, ...told], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    started.push(one);
    return one;
  };

  return {
    get worker() {
      return worker;
    },
    get folder() {
      return folder;
    },
    start,
    startMany: (count, options) => Promise.all(Array.from({ length: count }, () => start(options))),
    endAfterTest: (...processes) => void started.push(...processes),
  };
}
