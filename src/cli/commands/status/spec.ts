// `latchkey status` as data.

import { json } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "status",
  place: 40,
  summary: "list what is cached, never a token",
  description:
    "Lists the cached sign-ins: all of them, or those of the issuer, client, server or profile that is named. Uses no network. Ends with 0 whether or not there is one; with --json an empty cache is [].",
  settings: "profile",
  flags: [json],
  examples: ["latchkey status", "latchkey status --profile work --json"],
};
