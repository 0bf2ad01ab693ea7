// Questions on a terminal, answered by a line each.

import { createInterface } from "node:readline";
import { OidcError } from "../core/errors.ts";

/** Asks on standard error and reads from standard input. */
export interface Questions {
  /** The line that was typed, without the space around it. @throws {OidcError} `aborted` where the input ends. */
  ask(question: string): Promise<string>;
  /** True for an answer that begins with y. */
  confirm(question: string): Promise<boolean>;
  close(): void;
}

/** Opens the terminal for questions; close it before anybody else reads from it. `signal` ends a question. */
export function openQuestions(signal: AbortSignal): Questions {
  // The terminal itself edits the line and sends the signals: nothing is to be put right afterwards.
  const lines = createInterface({ input: process.stdin, terminal: false });
  const typed: string[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  let hasEnded = false;
  const answer = (line: string | undefined): void => {
    if (waiting !== undefined) waiting(line);
    else if (line !== undefined) typed.push(line);
    waiting = undefined;
  };
  lines.on("line", answer);
  lines.once("close", () => {
    hasEnded = true;
    answer(undefined);
  });
  const stop = (): void => lines.close();
  signal.addEventListener("abort", stop, { once: true });
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question);
    const ready = typed.shift();
    const line =
      ready ??
      (hasEnded
        ? undefined
        : await new Promise<string | undefined>((resolve) => {
            waiting = resolve;
          }));
    signal.throwIfAborted();
    if (line === undefined) {
      throw new OidcError(
        "aborted",
        "The input ended before all was answered; nothing was changed.",
      );
    }
    return line.trim();
  };
  return {
    ask,
    confirm: async (question) => /^y/i.test(await ask(question)),
    close: () => {
      signal.removeEventListener("abort", stop);
      lines.close();
    },
  };
}
