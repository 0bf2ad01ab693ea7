// Changes when the command line is run by tests in another way.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface CommandOptions {
  /** The home folder, and with it every XDG folder; see {@link scratchHome}. */
  home: string;
  /** Beside PATH, HOME and the XDG folders, which is all that the command inherits. */
  env?: Readonly<Record<string, string>>;
  /** Default: the home folder. */
  cwd?: string;
  /** What it reads from standard input; without it, the input is empty and at its end. */
  stdin?: string;
  /** Default 30,000. A command that takes longer is killed, and the promise rejects. */
  timeoutMs?: number;
  /** Default: the built command of this tree. Another one is the installed package's. */
  command?: string;
  /** Words before the program, such as those that enter a network namespace. They must replace themselves by it (exec). */
  through?: readonly string[];
}

export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

export interface RunningCommand {
  readonly processId: number;
  /** What came so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until standard error (or the stream named) matches; rejects when the command ends without. */
  waitFor(pattern: RegExp, stream?: "stdout" | "stderr"): Promise<RegExpExecArray>;
  /** Writes to standard input, which stays open unless `stdin` was given. */
  write(text: string): void;
  /** Ends this one process. Default SIGTERM. */
  kill(signal?: NodeJS.Signals): void;
  /** After the process ended and its output is complete. */
  readonly finished: Promise<CommandResult>;
}

const builtCommand = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));

function environmentFor(options: CommandOptions): Record<string, string> {
  const { home } = options;
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    XDG_RUNTIME_DIR: join(home, ".run"),
    ...options.env,
  };
}

/** Collects what a stream says, and tells whoever waits for it. */
class Transcript {
  text = "";
  readonly #listeners = new Set<() => void>();

  constructor(stream: NodeJS.ReadableStream) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      this.text += chunk;
      for (const listener of this.#listeners) listener();
    });
  }

  /** The result calls it off. */
  onMore(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function finish(
  child: ChildProcess,
  streams: { stdout: Transcript; stderr: Transcript },
  options: CommandOptions,
): Promise<CommandResult> {
  const startedAt = performance.now();
  const limit = options.timeoutMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // Not "close": a process that the command left behind may hold the pipes for ever.
      const said = `standard error so far:\n${streams.stderr.text}`;
      reject(new Error(`the command took longer than ${limit} ms; ${said}`));
    }, limit);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // "close" waits for the pipes too: a child of the command that kept them open would hang a shell pipeline.
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        code,
        signal,
        stdout: streams.stdout.text,
        stderr: streams.stderr.text,
        milliseconds: performance.now() - startedAt,
      });
    });
  });
}

/** Starts the command line as a process of its own. */
export function startLatchkey(
  parameters: readonly string[],
  options: CommandOptions,
): RunningCommand {
  const words = [
    ...(options.through ?? []),
    process.execPath,
    options.command ?? builtCommand,
    ...parameters,
  ];
  const child = spawn(words[0] ?? process.execPath, words.slice(1), {
    cwd: options.cwd ?? options.home,
    env: environmentFor(options),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const streams = { stdout: new Transcript(child.stdout), stderr: new Transcript(child.stderr) };
  const finished = finish(child, streams, options);
  // Whoever awaits it sees the failure; without anyone it must not end the test run.
  finished.catch(() => undefined);
  // A command that ends before it reads its input is no failure of the test.
  child.stdin.on("error", () => undefined);
  if (options.stdin !== undefined) child.stdin.end(options.stdin);

  return {
    processId: child.pid ?? -1,
    stdout: () => streams.stdout.text,
    stderr: () => streams.stderr.text,
    write: (text) => {
      child.stdin.write(text);
    },
    kill: (signal = "SIGTERM") => {
      child.kill(signal);
    },
    waitFor: (pattern, stream = "stderr") =>
      new Promise((resolve, reject) => {
        const transcript = streams[stream];
        const look = (): void => {
          const match = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(
            transcript.text,
          );
          if (match === null) return;
          stopLooking();
          resolve(match);
        };
        const stopLooking = transcript.onMore(look);
        finished.then(
          () => {
            stopLooking();
            reject(new Error(`ended without ${String(pattern)} in ${stream}:\n${transcript.text}`));
          },
          (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
        );
        look();
      }),
    finished,
  };
}

/** Runs the command line to its end. */
export function runLatchkey(
  parameters: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return startLatchkey(parameters, { ...options, stdin: options.stdin ?? "" }).finished;
}

/** A home folder that nobody else may read, and its removal. */
export async function scratchHome(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "latchkey-home-"));
  await chmod(path, 0o700);
  await mkdir(join(path, ".run"), { mode: 0o700 });
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
