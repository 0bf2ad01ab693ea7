// The only file that loads undici: connections with our own roots, or through a proxy. Changes when undici does.

import { isIP } from "node:net";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Agent, buildConnector, Pool, ProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import { longestRestSeconds } from "../core/limits.ts";
import type { ConnectionPool, Connections } from "./connections.ts";
import { lookUp } from "./lookup.ts";
import { proxyHungUpCode } from "./proxy-hung-up.ts";
import type { Transport } from "../core/world.ts";
import type { Proxy } from "./proxy.ts";
import { proxyFor } from "./proxy.ts";
import { createSecureContext } from "./trust-roots.ts";
import type { TrustedRoots } from "./trust-roots.ts";

/** How one address is reached. */
export interface Route {
  readonly transport: Transport;
  /** `host:port` of the proxy in between, for messages. */
  readonly proxyHost: string | undefined;
}

/** What decides about the way. */
export interface RouteOptions {
  readonly caCertPath: string | undefined;
  /** The roots that are trusted, read once. */
  readonly roots: () => Promise<TrustedRoots>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onWarning: ((code: string, message: string) => void) | undefined;
  readonly connectTimeoutSeconds: number;
  readonly pool: ConnectionPool;
}

/** The way to an address by one of a few dispatchers, which live as long as this function. */
export type Dispatchers = (url: URL) => Route;

type ConnectionOptions = buildConnector.BuildOptions & { secureContext: SecureContext };

const longestHeaderBytes = 16 * 1024;

/** Sockets that are being connected. */
type Connecting = Set<Socket>;

/**
 * A connector that keeps the list of what is being connected, and whose sockets do not hold the process: an operation
 * holds it by its own timer.
 */
function watched(
  connect: buildConnector.connector,
  connecting: Connecting,
): buildConnector.connector {
  return (options, callback) => {
    // undici names a proxy's address as server name even where it is an IP address (RFC 6066 section 3 forbids that).
    const { servername = "" } = options;
    const named = isIP(servername) === 0 ? options : { ...options, servername: "" };
    // The types hide that the socket is returned.
    const socket = connect(named, (...outcome) => {
      connecting.delete(socket);
      callback(...outcome);
    }) as unknown as Socket;
    connecting.add(socket);
    socket.unref();
  };
}

/**
 * Makes a pool of connections to a proxy that tells when the proxy hung up instead of answering CONNECT. undici's own
 * error for that (UND_ERR_SOCKET) makes it connect again at once, some 800 times a second, until somebody aborts.
 */
function tellingHangUps(pool: Pool): Pool {
  const connect: (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> =
    pool.connect.bind(pool);
  const telling: typeof connect = async (options) => {
    try {
      return await connect(options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "UND_ERR_SOCKET") throw error;
      throw Object.assign(new Error(proxyHungUpCode), { code: proxyHungUpCode });
    }
  };
  return Object.assign(pool, { connect: telling });
}

function throughProxy(
  proxy: Proxy,
  tls: ConnectionOptions,
  connectTimeoutMilliseconds: number,
  connecting: Connecting,
): ProxyAgent {
  return new ProxyAgent({
    uri: proxy.origin,
    ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
    requestTls: tls,
    proxyTls: tls,
    maxHeaderSize: longestHeaderBytes,
    clientFactory: (origin, options) => {
      const { connect } = options as { connect: buildConnector.connector };
      const pool = new Pool(origin, {
        connect: watched(connect, connecting),
        maxHeaderSize: longestHeaderBytes,
        keepAliveMaxTimeout: longestRestSeconds * 1000,
        // The answer to CONNECT is part of connecting.
        headersTimeout: connectTimeoutMilliseconds,
      });
      return tellingHangUps(pool);
    },
  });
}

/**
 * Makes the dispatchers once the roots are read.
 * @throws {OidcError} `ca_bundle_invalid`; the function that it gives throws `invalid_option` for a proxy variable
 * that names no proxy.
 */
export async function createDispatchers(options: RouteOptions): Promise<Dispatchers> {
  const { environment } = options;
  const secureContext = createSecureContext(await options.roots());
  const connectTimeoutMilliseconds = options.connectTimeoutSeconds * 1000;
  const tls: ConnectionOptions = {
    secureContext,
    // Stated, because NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default (S04).
    rejectUnauthorized: true,
    timeout: connectTimeoutMilliseconds,
    lookup: lookUp,
  };
  const connectionsThrough = (proxy: Proxy | undefined): Connections => {
    const connecting: Connecting = new Set();
    const dispatcher =
      proxy === undefined
        ? new Agent({
            connect: watched(buildConnector(tls), connecting),
            maxHeaderSize: longestHeaderBytes,
            keepAliveMaxTimeout: longestRestSeconds * 1000,
          })
        : throughProxy(proxy, tls, connectTimeoutMilliseconds, connecting);
    return {
      dispatcher,
      giveUpConnecting: () => {
        const isConnecting = connecting.size > 0;
        for (const socket of connecting) socket.destroy();
        return isConnecting;
      },
    };
  };

  return (url) => {
    const proxy = proxyFor(url, environment);
    const key = `${url.origin} ${proxy === undefined ? "" : `${proxy.origin} ${proxy.authorization ?? ""}`}`;
    return {
      proxyHost: proxy?.host,
      // The built-in fetch takes a dispatcher of undici 7 on Node 20 and later.
      transport: (address, init) =>
        options.pool.fetch(key, () => connectionsThrough(proxy), address, init),
    };
  };
}
