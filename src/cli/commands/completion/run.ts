// `latchkey completion`. Changes when a shell is added.

import { completionModel } from "../../completion.ts";
import type { CommandContext } from "../../context.ts";
import type { CompletionModel } from "../../completion.ts";
import { bashCompletion } from "../../render/completion-bash.ts";
import { fishCompletion } from "../../render/completion-fish.ts";
import { zshCompletion } from "../../render/completion-zsh.ts";

const scripts: Readonly<Record<string, (model: CompletionModel) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Prints the script for a shell. Reads no file: the shell reads the names of profiles when they are wanted. */
export function run(context: CommandContext): Promise<number> {
  const { line, machine } = context;
  const script = scripts[line.arguments["shell"] ?? ""];
  if (script !== undefined) context.print(script(completionModel(machine.platform)));
  return Promise.resolve(0);
}
