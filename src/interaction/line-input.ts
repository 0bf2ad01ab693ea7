// Reading lines from a terminal without showing what is typed. Changes when a key must mean something else.

import type { Buffer } from "node:buffer";
import { StringDecoder } from "node:string_decoder";

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
  /** The line so far has so many characters. */
  onLength(characters: number): void;
  /** Enter. Longer lines than the bound are cut one character above it, so that the reader can tell. */
  onLine(line: string): void;
  /** Ctrl-C, Ctrl-\ or Ctrl-Z. */
  onSignal(signal: TerminalSignal): void;
}

/** Reading that is under way. */
export interface LineReading {
  /** Gives the terminal back as it was, and lets the process end. */
  stop(): void;
  /** Gives the terminal back until `resume`. */
  suspend(): void;
  resume(): void;
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
 * which some providers' codes exceed, and would show the code.
 */
export function readLines(
  input: TerminalInput,
  longest: number,
  handlers: LineHandlers,
): LineReading {
  const decoder = new StringDecoder("utf8");
  let line = "";
  let active = true;

  const take = (character: string): void => {
    const signal = signals[character];
    if (signal !== undefined) handlers.onSignal(signal);
    else if (character === "\r" || character === "\n") {
      const complete = line;
      line = "";
      // Enter alone, or the second half of CR LF.
      if (complete !== "") handlers.onLine(complete);
    } else if (character === "\u007f" || character === "\b") line = line.slice(0, -1);
    else if (character === "\u0015") line = "";
    else if (character >= " " && line.length <= longest) line += character;
  };
  const onData = (chunk: unknown): void => {
    // Text where somebody set an encoding before.
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk as Buffer);
    for (const character of text.replace(escapeSequence, "")) {
      take(character);
      if (!active) return;
    }
    handlers.onLength(line.length);
  };
  const start = (): void => {
    input.setRawMode?.(true);
    input.resume();
    // The listener and the lock hold the process, a terminal must not.
    input.unref?.();
  };
  const stop = (): void => {
    if (!active) return;
    active = false;
    line = "";
    input.off("data", onData);
    input.off("end", stop);
    try {
      input.setRawMode?.(false);
    } catch {
      // The terminal is gone.
    }
    input.pause();
    // As it was before: a paused terminal holds nothing, and whoever reads it next expects to be waited for.
    input.ref?.();
    setImmediate(() => input.off("error", onError));
  };
  // EIO when the terminal goes away.
  const onError = (): void => stop();
  input.on("data", onData);
  input.on("end", stop);
  input.on("error", onError);
  start();
  return {
    stop,
    suspend() {
      input.setRawMode?.(false);
    },
    resume() {
      if (active) start();
    },
  };
}
