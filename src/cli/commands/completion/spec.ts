// `latchkey completion` as data.

import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "completion",
  place: 80,
  summary: "print the completion for a shell",
  description:
    "Prints a script that completes commands, flags, their values, the names of profiles and known servers with the Tab key, for bash, zsh or fish. The shell reads it when it starts.",
  settings: "none",
  arguments: [
    {
      name: "shell",
      what: "the name of a shell",
      values: ["bash", "zsh", "fish"],
      missing: "completion for",
    },
  ],
  examples: [
    "source <(latchkey completion bash)      # in ~/.bashrc",
    "source <(latchkey completion zsh)       # in ~/.zshrc, after compinit",
    "latchkey completion fish | source       # in config.fish",
  ],
};
