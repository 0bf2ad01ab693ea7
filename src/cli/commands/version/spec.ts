// `latchkey version` as data.

import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "version",
  place: 100,
  summary: "print the version",
  description: "Prints the version.",
  settings: "none",
  examples: ["latchkey --version"],
};
