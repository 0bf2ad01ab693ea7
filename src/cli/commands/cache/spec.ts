// `latchkey cache` as data.

import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "cache",
  place: 63,
  summary: "where sign-ins are kept",
  description: "Changes where the cached sign-ins are kept.",
  settings: "profile",
  subcommands: [
    {
      name: "move",
      summary: "seal the sign-ins, or bring them back into plain files",
      description:
        "Moves every cached sign-in without anybody signing in again: into sealed files, with the key in the system's keychain, or with --storage file back into files in plain text. What was there before is overwritten and deleted, copies that were set aside too. Waits while one is being renewed. Where it was interrupted, run it again.",
      examples: ["latchkey cache move", "latchkey cache move --storage file"],
    },
  ],
  examples: ["latchkey cache move"],
};
