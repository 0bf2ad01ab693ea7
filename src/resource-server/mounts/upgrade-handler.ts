// Mounts a resource server in front of WebSockets: who has no accepted token is refused before the upgrade.

import type { Duplex } from "node:stream";
import type { Identity, RequestDemands, ResourceServer } from "../resource-server-types.ts";
import type { PlainAnswer } from "./answers.ts";
import { judgeNodeRequest } from "./judge-request.ts";
import type { NodeRequest } from "./node-request.ts";

// Not those of `node:http`, which would be loaded with this.
const phrases: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

function answerText({ status, headers, body }: PlainAnswer): string {
  const lines = Object.entries({
    ...headers,
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)} ${phrases[status] ?? ""}\r\n${lines.join("")}\r\n${body}`;
}

const fault: PlainAnswer = { status: 500, headers: {}, body: "" };

/**
 * A listener for `upgrade` of Node's HTTP server that calls `handle` for requests with an accepted token alone, and
 * answers all others in place of the upgrade. The token stands in the header `Authorization` and nowhere else.
 * @param handle gets what `upgrade` gives, and whom the token speaks for; what it throws is the program's own.
 * @param demands what every request demands in addition to the options of the server.
 */
export function upgradeHandler<UpgradeRequest extends NodeRequest>(
  server: ResourceServer,
  handle: (request: UpgradeRequest, socket: Duplex, head: Buffer, identity: Identity) => void,
  demands?: RequestDemands,
): (request: UpgradeRequest, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    // Nobody else listens while the token is verified, and an error without a listener would end the process.
    const ignore = (): void => undefined;
    socket.on("error", ignore);
    void judgeNodeRequest(server, request, request.url ?? "/", demands)
      .catch(() => ({ answer: fault }))
      .then((judgement) => {
        if (socket.destroyed) return;
        if ("answer" in judgement) {
          socket.end(answerText(judgement.answer));
          return;
        }
        socket.off("error", ignore);
        handle(request, socket, head, judgement.identity);
      });
  };
}
