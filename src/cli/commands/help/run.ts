// `latchkey --help`. Changes when what help is asked with does.

import { configurationFile, type Machine } from "../../../options/paths.ts";
import type { CommandContext } from "../../context.ts";
import { commandHelp, overviewHelp } from "../../render/help.ts";

// Help must not fail where no home folder is known.
function fileOrRule(machine: Machine): string {
  try {
    return configurationFile(machine);
  } catch {
    return "~/.config/latchkey/config.toml";
  }
}

/** Prints help for the command that is named, or the overview. A result that was asked for: on standard output. */
export function run(context: CommandContext): Promise<number> {
  const { topic } = context.line;
  const file = fileOrRule(context.machine);
  const text =
    topic === undefined
      ? overviewHelp(file, context.columns)
      : commandHelp(topic, file, context.columns);
  context.print(`${text}\n`);
  return Promise.resolve(0);
}
