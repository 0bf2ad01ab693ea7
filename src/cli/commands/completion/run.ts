// `latchkey completion`: prints the script of a shell.

import type { CommandContext } from "../../context.ts";
import { completionScripts } from "../../render/completion-scripts.ts";

/** Reads no settings: a start-up file of a shell must not break by them. */
export function run(context: CommandContext): Promise<number> {
  context.print(completionScripts[context.line.arguments["shell"] ?? ""] ?? "");
  return Promise.resolve(0);
}
