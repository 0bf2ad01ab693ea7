// The default prompt handler, for an `onPrompt` of one's own that leaves some events to it.

import { systemClock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { PromptHandler } from "../core/prompt.ts";
import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";
import type { TerminalPromptSettings } from "./default-prompt.ts";
import { createLatePrompt } from "./late-prompt.ts";

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
  return createLatePrompt(async () => {
    const { createDefaultPrompt } = await loadPart(() => import("./default-prompt.ts"));
    return createDefaultPrompt({ environment: process.env, clock: systemClock, ...streams });
  });
}
