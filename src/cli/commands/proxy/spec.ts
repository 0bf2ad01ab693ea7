// `latchkey proxy` as data.

import { forceRefresh, idToken, interactive, minValiditySeconds } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "proxy",
  place: 72,
  summary: "pass requests on to a server with a token",
  description:
    "Listens for programs that cannot send a token themselves, and passes their requests on to the server with one that is valid now. A token that the server refuses is renewed once, and the request is sent again where its body can be. Signs in where nothing else is left, when it starts and never later. Without --listen it takes a socket in a folder of your own, and prints its path; on 127.0.0.1 its clients have to show a secret. With a postgres: address it signs clients in at a PostgreSQL server that takes tokens (OAUTHBEARER, version 18 and later). Runs until it is interrupted.",
  settings: "profile",
  flags: [
    {
      name: "listen",
      kind: "file",
      summary: "the socket (for postgres: its folder), or 127.0.0.1:PORT (0: any that is free)",
      placeholder: "PLACE",
    },
    {
      name: "secret-file",
      kind: "file",
      summary: "file with what clients of a port show; made where it is not there",
      placeholder: "FILE",
    },
    idToken,
    forceRefresh,
    minValiditySeconds,
    interactive,
  ],
  arguments: [{ name: "url", what: "the address of the server", completes: "server" }],
  examples: [
    "latchkey proxy --profile work https://api.example.com",
    "latchkey proxy --profile work --listen ~/.run/api.sock https://api.example.com",
    "latchkey proxy --profile work --listen 127.0.0.1:8080 https://api.example.com",
    "latchkey proxy --profile work postgres://alice@db.example.com/app",
  ],
};
