// One request and its answer over a connection.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { expireIfOverdue } from "../core/timed-signal.ts";
import type { TransportAnswer, TransportRequest } from "../core/world.ts";
import { requestOver } from "./http-request.ts";

function plainHeaders({ rawHeaders }: IncomingMessage): Readonly<Record<string, string>> {
  const headers = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

/** How long the server keeps the connection, in seconds, where it says so. */
function serverSeconds(headers: Readonly<Record<string, string>>): number | undefined {
  const seconds = /(?:^|[\s,])timeout=(\d{1,9})/i.exec(headers["keep-alive"] ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/**
 * Sends a request over a connection that nothing else uses.
 * @param keep is given the connection once the answer is complete and another request may follow; otherwise it ends.
 */
export function exchange(
  socket: Socket,
  { method, url, headers, body, signal }: TransportRequest,
  keep: (socket: Socket, seconds: number | undefined) => void,
): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    let answered: { readonly incoming: IncomingMessage; readonly seconds?: number | undefined };
    const outgoing = requestOver(socket, {
      method,
      target: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: "keep-alive" },
    });
    const stop = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    outgoing.on("error", reject);
    outgoing.once("response", (incoming) => {
      // Whoever reads the body hears of the error.
      incoming.on("error", () => {});
      const received = plainHeaders(incoming);
      answered = { incoming, seconds: serverSeconds(received) };
      resolve({
        status: incoming.statusCode ?? 0,
        headers: received,
        rawHeaders: incoming.rawHeaders,
        body: incoming,
        discard: () => incoming.destroy(),
      });
    });
    outgoing.once("close", () => {
      signal.removeEventListener("abort", stop);
      if (answered?.incoming.complete && !socket.destroyed && socket.writable) {
        keep(socket, answered.seconds);
      } else {
        socket.destroy();
      }
    });
    // Not for what is only asked for: an answer to a request that was sent must still be understood.
    if (method === "POST") expireIfOverdue(signal);
    if (signal.aborted) stop();
    outgoing.end(body);
  });
}
