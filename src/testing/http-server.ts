// A small HTTP server on loopback that stands in for somebody else's. Changes when one of those needs more of a request.

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. */
export interface ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body, read as `application/x-www-form-urlencoded`. */
  readonly form: URLSearchParams;
}

/** What is sent back. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `reset` breaks the connection without an answer; `silent` lets it wait until the server is closed. */
export type ServerOutcome = ServerAnswer | "reset" | "silent";

/** A server that runs. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  readonly port: number;
  /** Closes it and every connection; rejects with what `answer` threw, if anything. */
  close(): Promise<void>;
}

// More than any client here has reason to send.
const maxBodyBytes = 1024 * 1024;

/** An answer in JSON that nobody may keep. */
export function json(status: number, members: object): ServerAnswer {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return { status, headers, body: JSON.stringify(members) };
}

async function readRequest(incoming: IncomingMessage, origin: string): Promise<ServerRequest> {
  const url = new URL(incoming.url ?? "/", origin);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error("a request has more than a mebibyte");
    chunks.push(chunk);
  }
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, value?.toString()]),
    ),
    form: new URLSearchParams(Buffer.concat(chunks).toString()),
  };
}

/** Starts a server on 127.0.0.1. `port` 0: any free one. */
export async function startHttpServer(
  answer: (request: ServerRequest) => ServerOutcome | Promise<ServerOutcome>,
  port = 0,
): Promise<RunningServer> {
  // Loaded here: on Node 22 and later it brings the built-in fetch, which nobody pays for who only runs a suite.
  const { createServer } = await import("node:http");
  const failures: unknown[] = [];
  let origin = "";
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const outcome = await answer(await readRequest(incoming, origin));
    if (outcome === "silent") return;
    if (outcome === "reset") incoming.socket.destroy();
    else response.writeHead(outcome.status, outcome.headers ?? {}).end(outcome.body ?? "");
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // A client that leaves in the middle of its request is nobody's fault.
      if (!incoming.destroyed || incoming.complete) failures.push(error);
      incoming.socket.destroy();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  // Longer than a test, so that no request meets a connection that the server is just closing.
  server.keepAliveTimeout = 60_000;
  const { port: bound } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${String(bound)}`;
  return {
    origin,
    port: bound,
    close: async () => {
      if (server.listening) {
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
      }
      if (failures.length > 0) {
        throw new AggregateError(failures.splice(0), "the test server failed inside; see errors");
      }
    },
  };
}
