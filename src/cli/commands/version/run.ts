// `latchkey --version`. Changes when its form does.

import type { CommandContext } from "../../context.ts";
import { packageVersion } from "../../package-version.ts";

/** Prints the version. */
export function run(context: CommandContext): Promise<number> {
  context.print(`latchkey ${packageVersion()}\n`);
  return Promise.resolve(0);
}
