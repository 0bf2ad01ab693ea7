// `latchkey setup` as data.

import { interactive, keychain, replace, roleArn, yes } from "../../flags.ts";
import type { ArgumentSpec, CommandSpec, FlagSpec } from "../../spec.ts";

const tool: ArgumentSpec = {
  name: "tool",
  what: "a tool",
  isOptional: true,
  values: ["kubectl", "git", "docker", "cargo", "pnpm", "pip", "bazel", "terraform", "aws", "gcp"],
};

const target: ArgumentSpec = {
  name: "target",
  what: "what the tool is set up for",
  isOptional: true,
};

/** Those that only setting up a tool knows. */
export const toolFlags: readonly FlagSpec[] = [
  yes,
  { name: "undo", kind: "switch", summary: "take out what was written for the tool" },
  roleArn,
];

export const spec: CommandSpec = {
  name: "setup",
  place: 10,
  summary: "make a profile, and try it out; or set up a tool",
  description:
    "Makes a profile: asks on a terminal for the issuer and the client id, unless flags give them or a server that says them; shows what the provider offers and which redirect URI to register; signs in; and writes the profile, [profile.default] unless --profile names another. Everything else in the configuration file stays as it is. Other flags of options become part of the profile. With the name of a tool it puts lines into that tool's own configuration, so that the tool takes its tokens from this profile; for a tool that talks to servers, name the server behind it. The lines are shown first, and a person is asked. --undo takes these lines out again, and nothing else.",
  // It makes the profile that it names.
  settings: "options",
  arguments: [tool, target],
  flags: [interactive, keychain, replace, ...toolFlags],
  examples: [
    "latchkey setup",
    "latchkey setup --profile work --issuer https://id.example.com --client-id cli",
    "latchkey setup --keychain",
    "latchkey setup git git.example.com --profile work",
    "latchkey setup kubectl --profile work --yes",
    "latchkey setup git --undo",
  ],
};
