// `latchkey doctor` as data.

import { json } from "../../flags.ts";
import type { ArgumentSpec, CommandSpec } from "../../spec.ts";

const subject: ArgumentSpec = {
  name: "subject",
  what: "the address of an issuer or a server, or a tool",
  isOptional: true,
  offers: ["kubectl", "git", "docker", "cargo"],
};

export const spec: CommandSpec = {
  name: "doctor",
  place: 75,
  summary: "look for what is wrong, and say what to do",
  description:
    "Makes a list of checks: this machine, where sign-ins are kept, the way to the provider, what the provider offers, its sign-in page, and the configuration of tools. One line each, with what to do; nothing is changed, nobody is signed in, and no token is read. With the address of an issuer or a server it looks at that one, with the name of a tool (kubectl, git, docker, cargo) at that tool's configuration alone. Ends with 1 where a check failed. The report holds no token, no secret and no user name, and can be pasted into a public place.",
  // A faulty configuration is one of the things that it finds.
  settings: "of-request",
  flags: [json],
  arguments: [subject],
  examples: [
    "latchkey doctor",
    "latchkey doctor --profile work --json",
    "latchkey doctor https://id.example.com",
    "latchkey doctor kubectl",
  ],
};
