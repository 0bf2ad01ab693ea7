// `latchkey help` as data.

import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "help",
  place: 90,
  summary: "explain a command",
  description: "Explains a command and its flags.",
  settings: "none",
  arguments: [
    { name: "command", what: "the name of a command", isOptional: true, completes: "command" },
  ],
  examples: ["latchkey help token", "latchkey token --help"],
};
