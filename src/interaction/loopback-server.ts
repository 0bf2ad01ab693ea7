// An HTTP server on this machine's own addresses, bounded in what it takes from anybody who connects. Changes when those
// bounds do.

import { Buffer } from "node:buffer";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import {
  listenerConnections,
  listenerHeaderBytes,
  listenerHeaderSeconds,
  listenerRequestSeconds,
} from "../core/limits.ts";
import { bindFirstFree } from "./bind.ts";
import type { Page } from "./pages/page.ts";
import { refuseUnreadable } from "./unreadable.ts";
import type { Unreadable } from "./unreadable.ts";

/** What {@link LoopbackServer} takes. */
export interface LoopbackServerOptions {
  readonly logger: Logger | undefined;
  /** Answers one request, in whatever time it needs. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Told of what came and could not be read as a request; it is answered already. */
  readonly onUnreadable?: (what: Unreadable) => void;
}

const connectionsCheckMilliseconds = 1000;

/** One or two sockets that listen (`localhost` has two), and all connections to them. */
export class LoopbackServer {
  readonly #options: LoopbackServerOptions;
  readonly #sockets = new Set<Socket>();
  #servers: readonly Server[] = [];
  #isUnreferenced = false;
  #closed: Promise<void> | undefined;

  constructor(options: LoopbackServerOptions) {
    this.#options = options;
  }

  /**
   * Gives the port that was taken.
   * @throws {OidcError} `callback_port_in_use`.
   */
  async open(host: string, ports: readonly number[]): Promise<number> {
    const { createServer } = process.getBuiltinModule("node:http");
    const create = (): Server => {
      const server = createServer(
        {
          maxHeaderSize: listenerHeaderBytes,
          headersTimeout: listenerHeaderSeconds * 1000,
          requestTimeout: listenerRequestSeconds * 1000,
          connectionsCheckingInterval: connectionsCheckMilliseconds,
          // Told by our own page, and counted: Node's answer is a bare 400.
          requireHostHeader: false,
        },
        this.#options.onRequest,
      );
      server.on("checkExpectation", this.#options.onRequest);
      server.on("clientError", (error, socket) => this.#refuse(error, socket));
      // After listening only accept() can fail (no file descriptors left): that connection is lost, the wait goes on.
      server.on("error", () => undefined);
      server.on("connection", (socket) => this.#admit(socket));
      return server;
    };
    const { servers, port } = await bindFirstFree(create, host, ports);
    this.#servers = servers;
    return port;
  }

  /** Whether it listens on an address that other machines can reach. */
  get isExposed(): boolean {
    return this.#servers.some((server) => {
      const bound = server.address();
      return typeof bound === "object" && bound !== null && !isLoopbackHost(bound.address);
    });
  }

  /** From here on it no longer holds the process. */
  unref(): void {
    this.#isUnreferenced = true;
    for (const server of this.#servers) server.unref();
    for (const socket of this.#sockets) socket.unref();
  }

  /** Closes at once, all connections included. */
  async close(): Promise<void> {
    this.#closed ??= this.#closeNow();
    await this.#closed;
  }

  async #closeNow(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const server of this.#servers) server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #refuse(error: Error, socket: Duplex): void {
    const what = refuseUnreadable(error, socket);
    if (what === undefined) return;
    emit(this.#options.logger, "listener.ignored", { why: what });
    this.#options.onUnreadable?.(what);
  }

  // When the bound is reached the oldest connection goes, not the newest: 200 idle ones would lock the browser out.
  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#isUnreferenced) socket.unref();
    if (this.#sockets.size <= listenerConnections) return;
    const [oldest] = this.#sockets;
    oldest?.destroy();
    emit(this.#options.logger, "listener.ignored", { why: "too many connections" });
  }
}

/** Answers with a page, and closes the connection. */
export function sendPage(response: ServerResponse, page: Page, allow?: string): void {
  if (response.destroyed) return;
  const body = Buffer.from(page.html);
  response.writeHead(page.status, {
    ...page.headers,
    ...(allow === undefined ? {} : { Allow: allow }),
    "Content-Length": String(body.length),
    Connection: "close",
  });
  response.end(body);
}

/** Sends a browser on, with nothing of where it came from kept on the way. */
export function sendOn(response: ServerResponse, location: string): void {
  response.writeHead(303, {
    Location: location,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Length": "0",
    Connection: "close",
  });
  response.end();
}

/** `host:port` as a URL has it, IPv6 in brackets. */
export function authorityOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
