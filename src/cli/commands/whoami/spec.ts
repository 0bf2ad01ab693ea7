// `latchkey whoami` as data.

import { json } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "whoami",
  place: 50,
  summary: "show who signed in",
  description:
    "Shows the identity: the claims of the cached ID token, or the answer of the userinfo endpoint where there is none. Never starts a sign-in.",
  settings: "sign-in",
  flags: [json],
  examples: ["latchkey whoami --profile work", "latchkey whoami --profile work --json"],
};
