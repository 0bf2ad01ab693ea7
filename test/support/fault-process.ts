// A process of the file store under strace, which makes its system calls fail. Changes when a fault is brought about in
// another way.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { build } from "rolldown";

import { needs, tellMissing } from "./debian-packages.ts";
import type { FaultCommand, FaultResult } from "./fault-worker.ts";

/** Which thread makes a call: Node's own one the synchronous calls, the pool's (there is only one) all others. */
export type CallingThread = "main" | "pool";

/** What strace is told; see its manual for `inject`. */
export interface TraceOptions {
  /** Undefined: every thread. */
  readonly thread: CallingThread | undefined;
  readonly parameters: readonly string[];
}

/** What a command came to, with the lines of strace. */
export interface TracedResult {
  /** Undefined where the process was killed. */
  readonly result: FaultResult | undefined;
  readonly lines: readonly string[];
}

/** A process that uses the file store, with one thread for the disk. */
export interface FaultProcess {
  readonly processId: number;
  readonly poolThread: number;
  /** Undefined when the process was killed meanwhile. */
  tell(command: FaultCommand): Promise<FaultResult | undefined>;
  traced(command: FaultCommand, options: TraceOptions): Promise<TracedResult>;
  /** Begins a command, and resolves when strace has stopped the process (SIGSTOP); the result lets it go on. */
  suspended(command: FaultCommand, options: TraceOptions): Promise<() => Promise<TracedResult>>;
  /** Ends it, and waits for its end. */
  end(): Promise<void>;
}

/** Whether strace may attach here; the reason stands beside the skipped tests. */
export function canTrace(): boolean {
  if (!needs("strace").available) return false;
  const looping = spawn("sh", ["-c", "while :; do sleep 0.05; done"], { stdio: "ignore" });
  try {
    // Ends by itself: whoever is attached to a process that makes calls sees the next one, and kills it there.
    const parameters = ["-p", String(looping.pid), "-e", "inject=all:signal=SIGKILL"];
    const probe = spawnSync("strace", parameters, { encoding: "utf8", timeout: 15_000 });
    if (probe.stderr.includes("killed by SIGKILL")) return true;
  } finally {
    looping.kill("SIGKILL");
  }
  tellMissing("this user may not trace another process (optional, Debian package strace)");
  return false;
}

/** For all files of a worker of vitest: it goes with that worker. */
let bundled: Promise<string> | undefined;

/** CommonJS: Node loads an ES module with the thread pool, which must not have begun before the worker counts threads. */
async function bundleWorker(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-fault-worker-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "worker.cjs");
  await build({
    input: fileURLToPath(new URL("fault-worker.ts", import.meta.url)),
    platform: "node",
    logLevel: "silent",
    output: { file, format: "cjs", codeSplitting: false },
  });
  return file;
}

interface Tracer {
  /** Resolves when strace has written this text. */
  wrote(text: string): Promise<void>;
  /** Ends the tracing, not the process; gives the lines. */
  detach(): Promise<string[]>;
}

/** Attaches strace; resolves when it traces. */
async function attach(threadId: number, parameters: readonly string[]): Promise<Tracer> {
  const strace = spawn("strace", ["-y", "-p", String(threadId), ...parameters], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(strace, "close");
  let text = "";
  strace.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const wrote = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!text.includes(wanted)) return;
        strace.stderr.off("data", look);
        resolve();
      };
      strace.stderr.on("data", look);
      strace.once("error", reject);
      strace.once("close", () => reject(new Error(`strace ended: ${text}`)));
      look();
    });
  await wrote(" attached");
  return {
    wrote,
    detach: async () => {
      strace.kill("SIGINT");
      await closed;
      return text.split("\n");
    },
  };
}

/** Starts the worker and waits until it takes commands. */
export async function startFaultProcess(): Promise<FaultProcess> {
  const worker = await (bundled ??= bundleWorker());
  const child: ChildProcess = spawn(process.execPath, [worker], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], UV_THREADPOOL_SIZE: "1" },
    cwd: "/",
  });
  const { stdin, stdout, pid = -1 } = child;
  if (stdin === null || stdout === null) throw new Error("standard input and output must be pipes");
  stdin.on("error", () => undefined);
  const closed = once(child, "close");
  const lines = createInterface({ input: stdout });
  const nextLine = async (): Promise<string | undefined> => {
    const cancel = new AbortController();
    const line = once(lines, "line", { signal: cancel.signal }).then(([text]) => text as string);
    const ended = once(lines, "close", { signal: cancel.signal }).then(() => undefined);
    line.catch(() => undefined);
    ended.catch(() => undefined);
    const first = await Promise.race([line, ended]);
    cancel.abort();
    return first;
  };
  const hello = JSON.parse((await nextLine()) ?? "{}") as { poolThreads?: readonly number[] };
  const [poolThread, ...more] = hello.poolThreads ?? [];
  if (poolThread === undefined || more.length > 0) {
    throw new Error(`the thread for the disk is not known: ${JSON.stringify(hello)}`);
  }
  const tell: FaultProcess["tell"] = async (command) => {
    const answer = nextLine();
    stdin.write(`${JSON.stringify(command)}\n`);
    const line = await answer;
    return line === undefined ? undefined : (JSON.parse(line) as FaultResult);
  };
  const tracer = ({ thread, parameters }: TraceOptions): Promise<Tracer> =>
    thread === undefined
      ? attach(pid, ["-f", ...parameters])
      : attach(thread === "main" ? pid : poolThread, parameters);
  return {
    processId: pid,
    poolThread,
    tell,
    traced: async (command, traceOptions) => {
      const strace = await tracer(traceOptions);
      const result = await tell(command);
      return { result, lines: await strace.detach() };
    },
    suspended: async (command, traceOptions) => {
      const strace = await tracer(traceOptions);
      const answer = tell(command);
      await strace.wrote("--- stopped by SIGSTOP ---");
      return async () => {
        child.kill("SIGCONT");
        return { result: await answer, lines: await strace.detach() };
      };
    },
    end: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
