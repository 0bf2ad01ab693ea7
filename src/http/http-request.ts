// A request of Node's HTTP client over a connection that stands already.

import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";

/** Longest head of an answer, in bytes. */
const maxHeadBytes = 16 * 1024;

/** What goes into the head of a request. */
export interface RequestHead {
  readonly method: string;
  /** Path and query; for CONNECT, host and port. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Begins a request; its body is still to be given, or its end. */
export function requestOver(
  socket: Socket,
  { method, target, headers }: RequestHead,
): ClientRequest {
  const { request } = process.getBuiltinModule("node:http");
  return request({
    createConnection: () => socket,
    method,
    path: target,
    headers: { ...headers },
    maxHeaderSize: maxHeadBytes,
    insecureHTTPParser: false,
    setHost: false,
    // Own members, so that none of the prototype of all objects takes their place.
    agent: undefined,
    auth: undefined,
    joinDuplicateHeaders: undefined,
    protocol: undefined,
    signal: undefined,
    socketPath: undefined,
    timeout: undefined,
    uniqueHeaders: undefined,
  });
}
