// One request and its answer over HTTP/2, on a connection of its own: what gRPC needs, for one unary call.

import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TransportAnswer, TransportRequest } from "../core/world.ts";
import { WireFailure } from "./wire-failure.ts";

/** Longest head or trailers of an answer, in bytes. */
const maxHeadBytes = 16 * 1024;
/** What a session may hold for its peer, in megabytes: its least, since one short answer is all that is wanted. */
const sessionMegabytes = 1;

function plainFields(received: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const fields = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(received)) {
    if (!name.startsWith(":") && value !== undefined) fields[name] = [value].flat().join(", ");
  }
  return fields;
}

function failure(code: "ECONNRESET" | "HPE_HEADER_OVERFLOW"): Error {
  return Object.assign(new Error(code), { code });
}

/** HTTP/2 itself only advises its peer of a limit. */
function isTooLong(fields: Readonly<Record<string, string>>): boolean {
  const bytes = Object.entries(fields).reduce(
    (sum, [name, { length }]) => sum + name.length + length,
    0,
  );
  return bytes > maxHeadBytes;
}

function openSession(socket: Socket, url: URL): ClientHttp2Session {
  return process.getBuiltinModule("node:http2").connect(url.origin, {
    createConnection: () => socket,
    maxSessionMemory: sessionMegabytes,
    settings: { enablePush: false, maxHeaderListSize: maxHeadBytes },
  });
}

/**
 * Sends a request over a connection that nothing else uses, and that ends with the answer.
 * Rejects with `no_http2` where TLS agreed on another protocol.
 */
export function exchangeHttp2(
  socket: Socket,
  { method, url, headers, body, signal }: TransportRequest,
): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    if (url.protocol === "https:" && (socket as TLSSocket).alpnProtocol !== "h2") {
      socket.destroy();
      reject(new WireFailure("no_http2"));
      return;
    }
    const session = openSession(socket, url);
    const end = (): void => {
      signal.removeEventListener("abort", stop);
      session.destroy();
      socket.destroy();
    };
    const stop = (): void => {
      end();
      reject(signal.reason);
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    session.on("error", fail);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) {
      stop();
      return;
    }
    const stream = session.request({
      ":method": method,
      ":path": `${url.pathname}${url.search}`,
      ...headers,
    });
    let trailers: Readonly<Record<string, string>> = Object.create(null);
    stream.on("error", fail);
    stream.once("trailers", (received) => {
      trailers = plainFields(received);
      if (isTooLong(trailers)) stream.destroy(failure("HPE_HEADER_OVERFLOW"));
    });
    stream.once("response", (received) => {
      const fields = plainFields(received);
      if (isTooLong(fields)) {
        fail(failure("HPE_HEADER_OVERFLOW"));
        return;
      }
      resolve({
        status: received[":status"] ?? 0,
        headers: fields,
        body: stream,
        trailers: () => trailers,
        discard: end,
      });
    });
    // Whoever reads the body hears of its end, or of an end that came too early.
    stream.once("close", () => fail(failure("ECONNRESET")));
    stream.end(body);
  });
}
