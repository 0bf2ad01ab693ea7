// The HTTP server in front of a proxy: what it takes of anybody who connects.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpProxy } from "./http-proxy.ts";

/** Longest head of a request, in bytes: no token of the person's is in it. */
const maxHeadBytes = 64 * 1024;
const headMilliseconds = 10_000;
const idleMilliseconds = 60_000;
const checkMilliseconds = 1000;

/** Makes it. It does not listen yet. */
export function createProxyServer(proxy: HttpProxy): Server {
  const { createServer, ServerResponse: Response } = process.getBuiltinModule("node:http");
  const server = createServer({
    maxHeaderSize: maxHeadBytes,
    headersTimeout: headMilliseconds,
    // A body takes as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: idleMilliseconds,
    connectionsCheckingInterval: checkMilliseconds,
    insecureHTTPParser: false,
    // Judged by the proxy: a socket has no name.
    requireHostHeader: false,
  });
  const answerOver = (request: IncomingMessage, socket: Duplex): ServerResponse => {
    const response = new Response(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once("finish", () => socket.end());
    return response;
  };
  server.on("request", (request, response) => void proxy.answer(request, response));
  server.on("upgrade", (request, socket, head) => {
    void proxy.upgrade(request, socket, head, answerOver);
  });
  return server;
}
