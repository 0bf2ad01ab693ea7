// Which way an address is reached, and over which connection.

import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { Transport } from "../core/world.ts";
import { option, say } from "../core/wording.ts";
import type { Warn } from "../core/warning.ts";
import type { AddressGuard } from "./address-guard.ts";
import { isBlockedPort } from "./blocked-ports.ts";
import { connect } from "./connect.ts";
import type { Destination } from "./connect.ts";
import { ConnectionPool } from "./connections.ts";
import type { DialRequest } from "./exchange.ts";
import { proxyFor } from "./proxy.ts";
import type { Trust } from "./trust.ts";
import { exchange } from "./wire.ts";
import { WireFailure } from "./wire-failure.ts";

/** A connection, and how it is kept. */
export interface RouteConnection {
  readonly socket: Socket;
  readonly wasKept: boolean;
  readonly keep: (seconds: number | undefined) => void;
}

/** What a connection is to be, besides where it leads. */
export type RouteWish = Pick<DialRequest, "signal" | "protocol" | "beforeTls" | "isNew">;

/** How one address is reached. */
export interface Route {
  readonly transport: Transport;
  /** A connection for the caller's own use: kept for another request, or new. */
  readonly dial: (wish: RouteWish) => Promise<RouteConnection>;
  /** `host:port` of the proxy in between, for messages. */
  readonly proxyHost: string | undefined;
}

/** What decides about the way. */
export interface RouteOptions {
  readonly clock: Clock;
  /** Whether roots are named in addition to Node's. */
  readonly hasBundle: boolean;
  /** What is trusted; asked for when a connection first needs it. */
  readonly trust: () => Promise<Trust>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onWarning: Warn | undefined;
  readonly connectTimeoutSeconds: number;
  readonly guard: AddressGuard | undefined;
}

/** Connections that one address has resting, where a caller makes many requests at once. */
const maxKeptOfCallers = 16;

function isVerificationOff(environment: RouteOptions["environment"]): boolean {
  return (
    environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" ||
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
  );
}

/** Finds the way to each address; `isDirect`: whatever proxies the environment names. */
export function createRouter(
  options: RouteOptions,
): (url: URL, isDirect?: boolean) => Promise<Route> {
  const pool = new ConnectionPool(options.clock);
  const timeoutMilliseconds = options.connectTimeoutSeconds * 1000;
  let warned = false;

  return async (url, isDirect = false) => {
    if (!warned && isVerificationOff(options.environment)) {
      warned = true;
      options.onWarning?.(
        "tls_verification_forced",
        say`NODE_TLS_REJECT_UNAUTHORIZED=0 is set. Latchkey verifies certificates all the same; to trust a private authority set ${option("caCertPath")}.`,
      );
    }
    const proxy = isDirect ? undefined : proxyFor(url, options.environment);
    const isSecure = url.protocol === "https:" || proxy?.origin.startsWith("https:") === true;
    const trust = isSecure || options.hasBundle ? await options.trust() : undefined;
    const { guard } = options;
    const mayConnect = guard && ((address: string) => guard(address, url.hostname));
    const destination: Destination = { url, proxy, trust, mayConnect };
    const address = `${url.origin} ${proxy === undefined ? "" : `${proxy.origin} ${proxy.authorization ?? ""}`}`;
    const assertOpen = (): void => {
      if (url.port !== "" && isBlockedPort(Number(url.port))) {
        throw new WireFailure("blocked_port");
      }
    };
    return {
      proxyHost: proxy?.host,
      transport: async (request) => {
        assertOpen();
        const limits = { timeoutMilliseconds, signal: request.signal };
        if (request.protocol !== undefined) {
          const { exchangeHttp2 } = await loadPart(() => import("./http2-exchange.ts"));
          const { protocol } = request;
          return exchangeHttp2(await connect({ ...destination, protocol }, limits), request);
        }
        const socket = pool.take(address) ?? (await connect(destination, limits));
        return exchange(socket, request, (free, seconds) => pool.keep(address, free, seconds));
      },
      dial: async ({ signal, protocol, beforeTls, isNew = false }) => {
        assertOpen();
        const kept = isNew ? undefined : pool.take(address);
        const socket =
          kept ??
          (await connect({ ...destination, protocol, beforeTls }, { timeoutMilliseconds, signal }));
        return {
          socket,
          wasKept: kept !== undefined,
          keep: (seconds) => pool.keep(address, socket, seconds, maxKeptOfCallers),
        };
      },
    };
  };
}
