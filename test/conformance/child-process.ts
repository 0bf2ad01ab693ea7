// Changes when a provider's process has to be started, watched or ended in another way.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { PersonOverHttp } from "./person-over-http.ts";

const maxLog = 8000;
const graceMilliseconds = 10_000;

export interface ProviderProcess {
  readonly child: ChildProcess;
  /** The end of what it wrote, for an error message. */
  log(): string;
  /** Ends it, by its id, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a program; its end before {@link ProviderProcess.stop} is seen by whoever waits for its answer. */
export function startProcess(
  program: string,
  parameters: readonly string[],
  options: { folder: string; environment?: Readonly<Record<string, string>>; channel?: boolean },
): ProviderProcess {
  const child = spawn(program, parameters, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe", ...(options.channel === true ? (["ipc"] as const) : [])],
  });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      written = (written + chunk.toString()).slice(-maxLog);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      written += String(error);
      resolve();
    });
  });
  // A test run that is cut short must not leave a server behind.
  const killAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  return {
    child,
    log: () => written,
    stop: async () => {
      process.removeListener("exit", killAtExit);
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = new AbortController();
      const isOver = await Promise.race([
        ended.then(() => true),
        pause(graceMilliseconds, false, { signal: timer.signal }),
      ]);
      timer.abort();
      if (!isOver) {
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}

/** Asks an address until it answers with 200: programs that nobody here wrote tell their readiness in no other way. */
export async function untilItAnswers(
  url: string,
  running: ProviderProcess,
  options: { certificateAuthority?: string | undefined; seconds?: number } = {},
): Promise<string> {
  const person = new PersonOverHttp(options.certificateAuthority);
  const end = performance.now() + (options.seconds ?? 15) * 1000;
  let last = "no answer";
  while (performance.now() < end && running.child.exitCode === null) {
    try {
      const page = await person.send({ url });
      if (page.status === 200) return page.text;
      last = `status ${page.status}`;
    } catch (error) {
      last = String(error);
    }
    await pause(25);
  }
  throw new Error(`${url} did not become ready (${last}). It wrote:\n${running.log()}`);
}
