// `latchkey cache`: where the sign-ins are kept.

import { loadPart } from "../../../core/load.ts";
import { cacheFileParts } from "../../../credential/compose.ts";
import type { CommandContext } from "../../context.ts";
import { movedText } from "../../render/cache.ts";

/** Moves the sign-ins: into the keychain, unless a file is asked for. */
async function move(context: CommandContext): Promise<number> {
  const { options, world } = await context.open(false);
  const toFile = options.storage === "file" && options.explicit.has("storage");
  const { moveSignIns } = await loadPart(() => import("../../../credential/open-sealed-store.ts"));
  const to = toFile ? "plain" : "sealed";
  const moved = await moveSignIns({ to }, cacheFileParts(options, world), context.signal);
  context.tell(movedText(to, moved));
  return moved.unreadable === 0 ? 0 : 1;
}

/** The subcommands, by name. */
const subcommands: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  move,
};

/** Runs the subcommand that was typed. */
export async function run(context: CommandContext): Promise<number> {
  const { subcommand = "" } = context.line;
  const chosen = subcommands[subcommand];
  if (chosen === undefined) throw new TypeError(`No command cache ${subcommand}.`);
  return chosen(context);
}
