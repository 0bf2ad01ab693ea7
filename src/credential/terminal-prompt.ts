// The default prompt handler, for an `onPrompt` of one's own that leaves some events to it.

import { systemClock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { PromptEvent, PromptHandler } from "../core/prompt.ts";
import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";
import type { TerminalPromptSettings } from "./default-prompt.ts";

export type { TerminalPromptSettings } from "./default-prompt.ts";

function streamOf(value: unknown, name: string, method: string, example: string): unknown {
  if (value === undefined) return undefined;
  const stream = value as Readonly<Record<string, unknown>> | null;
  if (typeof stream === "object" && typeof stream?.[method] === "function") return value;
  throw refusal(`\`${name}\``, value, `a stream such as ${example}`);
}

/**
 * The handler that is used where a program sets no `onPrompt`: it shows a sign-in on the terminal and takes a pasted
 * address. Hand it every event that is not shown in another way, `settled` always: it takes the prompt away.
 * @throws {OidcError} `invalid_option`.
 */
export function terminalPrompt(options: TerminalPromptSettings = {}): PromptHandler {
  const given = ownOptions(options, ["output", "input"], "{ output }");
  const streams = {
    output: streamOf(given["output"], "output", "write", "process.stderr"),
    input: streamOf(given["input"], "input", "on", "process.stdin"),
  } as TerminalPromptSettings;
  let handler: PromptHandler | undefined;
  // Loaded at the first event; what comes meanwhile waits in its order.
  let waiting: PromptEvent[] | undefined;
  const load = async (): Promise<void> => {
    try {
      const { createDefaultPrompt } = await loadPart(() => import("./default-prompt.ts"));
      handler = createDefaultPrompt({
        environment: process.env,
        clock: systemClock,
        ...streams,
      });
    } catch {
      // Showing something never breaks a sign-in; the next event tries again.
    }
    const events = waiting ?? [];
    waiting = undefined;
    for (const event of events) handler?.(event);
  };
  return (event) => {
    if (handler !== undefined && waiting === undefined) {
      handler(event);
      return;
    }
    if (waiting !== undefined) {
      waiting.push(event);
      return;
    }
    waiting = [event];
    void load();
  };
}
