// `latchkey login` as data.

import { replace } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "login",
  place: 20,
  summary: "sign in and remember it",
  description:
    "Signs in with the browser, always anew, and keeps the result for the other commands. Says on standard error who signed in; standard output stays empty.",
  settings: "profile",
  flags: [
    {
      name: "save-profile",
      kind: "profile",
      summary: "write the options of this sign-in as [profile.NAME]",
      placeholder: "NAME",
    },
    replace,
  ],
  examples: [
    "latchkey login --issuer https://id.example.com --client-id my-cli",
    "latchkey login --profile work",
    "latchkey login --profile work --no-open-browser",
    "latchkey login --profile work --login-hint bob --save-profile bob",
  ],
};
