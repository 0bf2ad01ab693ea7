// `latchkey token` as data.

import { forceRefresh, idToken, interactive, json, minValiditySeconds } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "token",
  place: 30,
  summary: "print an access token that is valid now",
  description:
    "Prints the access token alone on standard output: from the cache, refreshed where it has expired, or after a sign-in where nothing else is left.",
  settings: "sign-in",
  flags: [
    json,
    {
      name: "header",
      kind: "switch",
      summary: "print a whole header: Authorization: Bearer …",
      answerForm: true,
      warm: true,
    },
    {
      name: "format",
      kind: "words",
      values: ["header", "bearer", "curl", "env"],
      summary:
        "header: as --header; bearer: Bearer …; curl: a line for curl -K -; env: a line for eval in a shell",
      placeholder: "FORM",
      answerForm: true,
      warm: true,
    },
    {
      name: "write",
      kind: "file",
      summary: "write it into a file of mode 0600, whole, and print nothing",
      placeholder: "FILE",
    },
    {
      name: "keep",
      kind: "switch",
      summary: "with --write: go on, and replace the file before the token ends",
    },
    idToken,
    forceRefresh,
    minValiditySeconds,
    interactive,
  ],
  examples: [
    "curl -H @<(latchkey token --profile work --header) https://api.example.com/",
    "latchkey token --profile work --no-interactive",
    "latchkey token --profile work --json",
    "latchkey token --profile work --write ~/.cache/work-token --keep",
    "latchkey token --format curl | curl -K - https://api.example.com/",
  ],
};
