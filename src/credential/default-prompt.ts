// The default prompt handler on this process's own terminal.

import { hostname } from "node:os";
import type { Clock } from "../core/clock.ts";
import type { PromptHandler } from "../core/prompt.ts";
import { type Names, worded } from "../core/wording.ts";
import type { TerminalInput } from "../interaction/line-input.ts";
import type { TerminalOutput } from "../interaction/live-line.ts";
import { createTerminalPrompt, type TerminalPromptOptions } from "../interaction/terminal.ts";

/** Options of `terminalPrompt`. */
export interface TerminalPromptSettings {
  /** Where to write. Default: `process.stderr`. */
  output?: TerminalOutput | undefined;
  /** Where a pasted address is read, if it is a terminal. Default: `process.stdin`. */
  input?: TerminalInput | undefined;
}

/** What the default handler is made with. */
export interface DefaultPromptParts extends Readonly<TerminalPromptSettings> {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly renderQr?: TerminalPromptOptions["renderQr"];
  /** What options and calls are called here. Default: as in the library. */
  readonly names?: Names | undefined;
}

/** The handler that is used where a program sets none. */
export function createDefaultPrompt(parts: DefaultPromptParts): PromptHandler {
  const { environment, clock, renderQr, names, input, output = process.stderr } = parts;
  const handler = createTerminalPrompt({
    stderr: output,
    // Opening standard input has a cost and side effects; it is read only when a sign-in is shown.
    get stdin() {
      return input ?? process.stdin;
    },
    environment,
    clock,
    hostName: hostname(),
    renderQr,
  });
  if (names === undefined) return handler;
  return (event) =>
    handler(
      event.type === "warning"
        ? { ...event, message: worded(event.wording ?? event.message, names) }
        : event,
    );
}
