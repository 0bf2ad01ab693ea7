// `latchkey trust` as data.

import { json, yes } from "../../flags.ts";
import type { ArgumentSpec, CommandSpec } from "../../spec.ts";

const server: ArgumentSpec = {
  name: "server",
  what: "the address of a server",
  completes: "server",
};

export const spec: CommandSpec = {
  name: "trust",
  place: 65,
  summary: "the servers that may name the provider",
  description:
    "Lists and changes what is remembered of servers that say which provider to sign in at. It is kept apart from the sign-ins, and stays when they are forgotten.",
  settings: "profile",
  subcommands: [
    {
      name: "list",
      summary: "list the servers, and what each said",
      description:
        "Lists the servers whose word about the provider was accepted: what each said, and whether a person was asked. Uses no network.",
      flags: [json],
      examples: ["latchkey trust list", "latchkey trust list --json"],
    },
    {
      name: "accept",
      summary: "ask a server, and accept what it says",
      description:
        "Asks a server which provider to use, shows what it says, beside what it said before where that was another thing, and asks whether to accept it. With --yes nobody is asked: what --issuer, --client-id, --scopes and --audience say is accepted, and nothing else. Nothing is sent to the provider. A host alone means https.",
      flags: [yes],
      arguments: [server],
      examples: [
        "latchkey trust accept data.example.com",
        "latchkey trust accept grpcs://data.example.com:443 --yes --issuer https://id.example.com --client-id data-cli",
      ],
    },
    {
      name: "forget",
      summary: "forget a server, so that it is asked about anew",
      description:
        "Forgets what was accepted of a server, named by its address, or by its host for every server there. Its next answer counts as a first one. Sign-ins stay as they are.",
      arguments: [server],
      examples: ["latchkey trust forget data.example.com"],
    },
  ],
  examples: ["latchkey trust list", "latchkey trust accept data.example.com"],
};
