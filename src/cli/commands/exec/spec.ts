// `latchkey exec` as data.

import { forceRefresh, idToken, interactive, minValiditySeconds } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "exec",
  place: 70,
  summary: "run a program with the token in its environment",
  description:
    "Runs a program with a token that is valid now in LATCHKEY_ACCESS_TOKEN, or in the variable that --env names. Ends as the program ends. The client secret is not handed on.",
  settings: "sign-in",
  flags: [
    idToken,
    forceRefresh,
    minValiditySeconds,
    interactive,
    {
      name: "env",
      kind: "variable",
      summary: "variable for the token (default\u00a0LATCHKEY_ACCESS_TOKEN)",
      placeholder: "NAME",
    },
    {
      name: "file",
      kind: "switch",
      summary:
        "the variable names a file with the token, which is kept fresh while the program runs",
    },
  ],
  takesProgram: true,
  examples: [
    "latchkey exec --profile work -- ./report.sh",
    "latchkey exec --profile work --env API_TOKEN -- node sync.js",
    "latchkey exec --profile work --id-token --file --env AWS_WEB_IDENTITY_TOKEN_FILE -- aws s3 ls",
  ],
};
