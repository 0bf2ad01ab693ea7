// A server that answers wrongly on demand, byte for byte. Changes when tests need another way to be wrong.
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { gzipSync } from "node:zlib";

/** A request as it came over the wire. */
export interface SeenRequest {
  method: string;
  target: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
  /** Everything, for searches. */
  raw: string;
}

/** Does what it likes with one request; `index` counts the server's requests from 0. */
export type Behaviour = (socket: net.Socket, request: SeenRequest, index: number) => void;

export interface HostileServer {
  /** `http://127.0.0.1:PORT` or `https://…`. */
  origin: string;
  /** `127.0.0.1:PORT`. */
  host: string;
  port: number;
  /** Requests whose head and body came whole. */
  requests: SeenRequest[];
  /** TCP connections so far. */
  connections: () => number;
  /** Bytes that were handed to sockets of connections that are open or closed. */
  bytesWritten: () => number;
  /** Resolves when so many requests have come. */
  seen: (count: number) => Promise<void>;
  /** Resolves when every connection is closed. */
  allClosed: () => Promise<void>;
  /** What it does from now on. */
  behave: (behaviour: Behaviour) => void;
  close: () => Promise<void>;
}

export interface HostileServerOptions {
  /** Speaks TLS with these settings; plain TCP without. */
  tls?: tls.TlsOptions;
  /** Default `127.0.0.1`. */
  bindTo?: string;
}

const reasonPhrase = "As Wished";

/** A well-formed answer that closes the connection. */
export function reply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
): Behaviour {
  return (socket) => {
    const bytes = Buffer.from(body as string);
    const lines = Object.entries({
      "content-length": String(bytes.length),
      connection: "close",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 ${status} ${reasonPhrase}\r\n${lines.join("")}\r\n`, "latin1"),
        bytes,
      ]),
    );
  };
}

/** A JSON answer. */
export function json(value: unknown, status = 200): Behaviour {
  return reply(status, { "content-type": "application/json" }, JSON.stringify(value));
}

/** A captive portal's page. */
export function html(): Behaviour {
  return reply(200, { "content-type": "text/html" }, "<!doctype html><title>Wi-Fi</title>");
}

export function redirect(location: string, status = 302): Behaviour {
  return reply(status, { location });
}

/** Takes the request and says nothing. */
export function silent(): Behaviour {
  return () => {};
}

/** Sends headers that promise a body, then nothing more. */
export function headersOnly(): Behaviour {
  return (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
}

/** One byte of a body whenever the interval is over. */
export function dribble(intervalMilliseconds: number): Behaviour {
  return (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
    const timer = setInterval(() => socket.write(" "), intervalMilliseconds);
    socket.once("close", () => clearInterval(timer));
  };
}

/** Resets the connection instead of answering. */
export function reset(): Behaviour {
  return (socket) => void socket.resetAndDestroy();
}

/** Closes after fewer bytes than `Content-Length` says. */
export function truncated(): Behaviour {
  return (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":');
}

/** A body in chunks that stops without the last chunk. */
export function truncatedChunks(): Behaviour {
  return (socket) =>
    void socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n');
}

/** Writes `piece` for as long as the other side reads. */
function forever(socket: net.Socket, piece: Uint8Array | string): void {
  const more = (): void => {
    while (socket.writable && socket.write(piece));
    socket.once("drain", more);
  };
  more();
}

/** A chunked body without an end. */
export function endlessChunks(): Behaviour {
  return (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    forever(socket, `4000\r\n${" ".repeat(0x4000)}\r\n`);
  };
}

/** Headers without an end. */
export function endlessHeaders(): Behaviour {
  return (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    forever(socket, `set-cookie: a=${"b".repeat(1000)}\r\n`);
  };
}

/** Some `megabytes` of spaces, gzipped to a thousandth. */
export function gzipBomb(megabytes: number): Behaviour {
  return reply(
    200,
    { "content-type": "application/json", "content-encoding": "gzip" },
    gzipSync(Buffer.alloc(megabytes * 1024 * 1024, " ")),
  );
}

/** A gzipped body without an end that decodes to nothing: empty blocks, one after the other. */
export function endlessNothing(): Behaviour {
  return (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n");
    socket.write(Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
    const emptyBlock = Uint8Array.from([0, 0, 0, 0xff, 0xff]);
    forever(socket, Buffer.alloc(0x4000 * emptyBlock.length, emptyBlock));
  };
}

/** Bytes that are no HTTP. */
export function garbage(): Behaviour {
  return (socket) => void socket.end("SSH-2.0-OpenSSH_9.9\r\n");
}

/** One behaviour after the other; the last one stays. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  return (socket, request, index) =>
    behaviours[Math.min(index, behaviours.length - 1)]?.(socket, request, index);
}

function parseRequest(raw: string): SeenRequest | undefined {
  const headEnd = raw.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [requestLine = "", ...lines] = raw.slice(0, headEnd).split("\r\n");
  const [method = "", target = ""] = requestLine.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = raw.slice(headEnd + 4);
  if (body.length < Number(headers["content-length"] ?? 0)) return undefined;
  return { method, target, headers, body, raw };
}

/** Starts a server on a free port that answers one request per connection. */
export async function startHostileServer(
  behaviour: Behaviour = silent(),
  options: HostileServerOptions = {},
): Promise<HostileServer> {
  const requests: SeenRequest[] = [];
  const open = new Set<net.Socket>();
  const waiting: { count: number; resolve: () => void }[] = [];
  let current = behaviour;
  let connections = 0;
  let closedBytes = 0;

  const serve = (socket: net.Socket): void => {
    let raw = "";
    // A client that goes away is no fault of the server's.
    socket.on("error", () => {});
    const receive = (chunk: Buffer): void => {
      raw += chunk.toString("latin1");
      const request = parseRequest(raw);
      if (request === undefined) return;
      socket.off("data", receive);
      socket.resume();
      const index = requests.push(request) - 1;
      for (const waiter of waiting) if (waiter.count <= requests.length) waiter.resolve();
      current(socket, request, index);
    };
    socket.on("data", receive);
  };
  const server =
    options.tls === undefined ? net.createServer(serve) : tls.createServer(options.tls, serve);
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: net.Socket) => {
    connections += 1;
    open.add(socket);
    socket.once("close", () => {
      closedBytes += socket.bytesWritten;
      open.delete(socket);
    });
  });
  server.listen(0, options.bindTo ?? "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;

  return {
    origin: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    bytesWritten: () =>
      [...open].reduce((total, socket) => total + socket.bytesWritten, closedBytes),
    seen: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    allClosed: async () => {
      await Promise.all(
        [...open].map(
          (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
        ),
      );
    },
    behave: (next) => {
      current = next;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
