// Reading lines from a terminal without showing what is typed. Changes when a key must mean something else.

import type { Buffer } from "node:buffer";
import { StringDecoder } from "node:string_decoder";
import { terminalRole as roleOfProcess, type TerminalRole } from "./foreground.ts";

/** The part of `process.stdin` that is used. */
export interface TerminalInput {
  readonly isTTY?: boolean | undefined;
  readonly isRaw?: boolean | undefined;
  setRawMode?(mode: boolean): unknown;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
  listenerCount(event: string): number;
  resume(): unknown;
  pause(): unknown;
  ref?(): unknown;
  unref?(): unknown;
}

/** Keys that a terminal turns into signals, unless it is in raw mode. */
export type TerminalSignal = "SIGINT" | "SIGQUIT" | "SIGTSTP";

/** What happens while lines are read. */
export interface LineHandlers {
  /** The line so far has so many characters. Also told whenever the terminal becomes ours: somebody else wrote to it. */
  onLength(characters: number): void;
  /** The line so far, at the same moments: for answers that may be seen. */
  onTyped?(line: string): void;
  /** Enter. Longer lines than the bound are cut one character above it, so that the reader can tell. */
  onLine(line: string): void;
  /** Enter where nothing stands on the line. */
  onEmptyLine?(): void;
  /** Ctrl-D where nothing stands on the line. */
  onEnd?(): void;
}

/** What {@link readLines} may be told. */
export interface LineOptions {
  /** Whether reading keeps the process alive. Default: false. */
  readonly holdsProcess?: boolean;
  /** Default: what the system says. */
  readonly terminalRole?: (() => TerminalRole) | undefined;
  /** Does what the terminal does at Ctrl-C, Ctrl-\ and Ctrl-Z. Default: signals the process group. */
  readonly raiseSignal?: ((signal: TerminalSignal) => void) | undefined;
}

/** Reading that is under way. */
export interface LineReading {
  /** Gives the terminal back as it was, and lets the process end. */
  stop(): void;
}

/** What a terminal does at Ctrl-C where it is not read key by key. */
function raiseSignalInGroup(signal: TerminalSignal): void {
  // 0 is the process group: what a terminal signals. Windows knows neither groups nor SIGTSTP.
  if (process.platform !== "win32") process.kill(0, signal);
  else if (signal === "SIGINT") process.kill(process.pid, signal);
}

// Node restores a terminal at its own end and at SIGINT and SIGTERM, not at the others that end a process by default.
const endingSignals = ["SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR2", "SIGXCPU"] as const;

/** Restores the terminal before a signal from outside ends this process, and lets it end. Gives the way to stop that. */
function restoreAtEnd(restore: () => void): () => void {
  if (process.platform === "win32") return () => undefined;
  const end = (signal: NodeJS.Signals): void => {
    // Somebody else handles it: whether the process ends is theirs to say.
    if (process.listenerCount(signal) > 1) return;
    restore();
    forget();
    process.kill(process.pid, signal);
  };
  const forget = (): void => {
    for (const signal of endingSignals) process.off(signal, end);
  };
  for (const signal of endingSignals) process.on(signal, end);
  return forget;
}

const signals: Readonly<Record<string, TerminalSignal>> = {
  "\u0003": "SIGINT",
  "\u001c": "SIGQUIT",
  "\u001a": "SIGTSTP",
};

// Arrow keys, and the marks that some terminals put around pasted text: ESC [ parameters final, or ESC letter.
const escapeSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z]|[^[O])/gu;

/** Whether input is a terminal that nobody else reads. */
export function isFreeTerminal(input: TerminalInput): boolean {
  return (
    input.isTTY === true &&
    input.isRaw !== true &&
    typeof input.setRawMode === "function" &&
    ["data", "readable", "keypress"].every((event) => input.listenerCount(event) === 0)
  );
}

/**
 * Reads lines in raw mode. A terminal's own line mode would cut a pasted address at 4,096 characters (1,024 on macOS),
 * which some providers' codes exceed, and would show the code. A job in the background waits until it is brought to the
 * foreground: reading a terminal, or changing its mode, would stop it.
 */
export function readLines(
  input: TerminalInput,
  longest: number,
  handlers: LineHandlers,
  options: LineOptions = {},
): LineReading {
  const { terminalRole = roleOfProcess, raiseSignal = raiseSignalInGroup } = options;
  const decoder = new StringDecoder("utf8");
  let line = "";
  let active = true;
  let isRaw = false;

  const tellOfLine = (): void => {
    handlers.onLength(line.length);
    handlers.onTyped?.(line);
  };
  const giveBack = (): void => {
    if (!isRaw) return;
    isRaw = false;
    input.pause();
    try {
      input.setRawMode?.(false);
    } catch {
      // The terminal is gone.
    }
  };
  const begin = (): void => {
    if (!active || isRaw || terminalRole() === "background") return;
    isRaw = true;
    input.setRawMode?.(true);
    input.resume();
    // The listener and the lock hold the process, a terminal must not.
    if (options.holdsProcess !== true) input.unref?.();
    tellOfLine();
  };
  const pass = (signal: TerminalSignal): void => {
    // Ended or stopped, whoever comes next needs the terminal as it was.
    giveBack();
    raiseSignal(signal);
    // Still here, and not because it was stopped: somebody handles the signal. SIGCONT says when a stop is over.
    if (signal !== "SIGTSTP" || process.platform === "win32") begin();
  };
  const take = (character: string): void => {
    const signal = signals[character];
    if (signal !== undefined) pass(signal);
    else if (character === "\r" || character === "\n") {
      const complete = line;
      line = "";
      // An empty one may be the second half of CR LF.
      if (complete === "") handlers.onEmptyLine?.();
      else handlers.onLine(complete);
    } else if (character === "\u007f" || character === "\b") line = line.slice(0, -1);
    else if (character === "\u0015") line = "";
    else if (character === "\u0004" && line === "") handlers.onEnd?.();
    else if (character >= " " && line.length <= longest) line += character;
  };
  const onData = (chunk: unknown): void => {
    // Text where somebody set an encoding before.
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk as Buffer);
    for (const character of text.replace(escapeSequence, "")) {
      take(character);
      if (!active) return;
    }
    // Stopped meanwhile: the terminal is somebody else's.
    if (isRaw) tellOfLine();
  };
  const stop = (): void => {
    if (!active) return;
    active = false;
    line = "";
    input.off("data", onData);
    input.off("end", stop);
    process.off("SIGCONT", begin);
    forgetEnds();
    giveBack();
    // As it was before: a paused terminal holds nothing, and whoever reads it next expects to be waited for.
    input.ref?.();
    setImmediate(() => input.off("error", onError));
  };
  // EIO when the terminal goes away.
  const onError = (): void => stop();
  const forgetEnds = restoreAtEnd(giveBack);
  // First: a stream that somebody listens to reads by itself unless it was paused.
  input.pause();
  input.on("data", onData);
  input.on("end", stop);
  input.on("error", onError);
  process.on("SIGCONT", begin);
  begin();
  return { stop };
}
