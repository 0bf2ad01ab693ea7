// `latchkey fetch` as data.

import { forceRefresh, interactive, minValiditySeconds } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "fetch",
  place: 68,
  summary: "send a request with a token",
  description:
    "Sends a request with a token that is valid now, and prints the answer on standard output as it comes. Where no provider is configured, the server's own refusal leads to one. A token that the server refuses is renewed once, and what the server asks for in addition (scopes, a stronger sign-in) is asked for once. Redirects are followed; the token goes to the URL's own origin alone. With any status the exit status is 0, unless --fail is given.",
  settings: "profile",
  flags: [
    {
      name: "method",
      kind: "text",
      letter: "X",
      summary: "the method (default\u00a0GET, with --data POST)",
      placeholder: "METHOD",
    },
    {
      name: "header",
      kind: "text",
      letter: "H",
      isRepeatable: true,
      sharesName: true,
      summary: "a header, Name: value; @FILE: one on each line of a file, where nobody sees it",
      placeholder: "HEADER",
    },
    {
      name: "data",
      kind: "text",
      letter: "d",
      isRepeatable: true,
      summary:
        "the body; @FILE: that of a file, as it is; @-: standard input; several are joined by &",
      placeholder: "DATA",
    },
    {
      name: "output",
      kind: "file",
      letter: "o",
      summary: "write the body into a file (mode 0600 where it is new)",
      placeholder: "FILE",
    },
    {
      name: "include",
      kind: "switch",
      letter: "i",
      summary: "print the status and the headers above the body",
    },
    {
      name: "fail",
      kind: "switch",
      letter: "f",
      summary: "with a status of 400 or above print no body, and end with 1",
    },
    forceRefresh,
    minValiditySeconds,
    interactive,
  ],
  arguments: [{ name: "url", what: "the address to send the request to" }],
  examples: [
    "latchkey fetch https://api.example.com/me",
    "latchkey fetch --profile work https://api.example.com/jobs -d @job.json -H Content-Type:application/json",
    "latchkey fetch -X DELETE --fail https://api.example.com/jobs/7",
    "latchkey fetch -o report.pdf https://api.example.com/report",
  ],
};
