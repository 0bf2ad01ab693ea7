// The only file that loads undici: connections with our own roots, or through a proxy. Changes when undici does.

import { isIP } from "node:net";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Agent, buildConnector, Pool, ProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import type { Proxy } from "./proxy.ts";
import { proxyFor } from "./proxy.ts";
import type { Route, RouteOptions } from "./route.ts";
import { createSecureContext } from "./trust-roots.ts";

/** The way to an address by one of a few dispatchers, which live as long as this function. */
export type Dispatchers = (url: URL) => Route;

type ConnectionOptions = buildConnector.BuildOptions & { secureContext: SecureContext };

const longestHeaderBytes = 16 * 1024;

/** Sockets that are being connected. */
type Connecting = Set<{ destroy: () => void }>;

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
      return new Pool(origin, {
        connect: watched(connect, connecting),
        maxHeaderSize: longestHeaderBytes,
        // The answer to CONNECT is part of connecting.
        headersTimeout: connectTimeoutMilliseconds,
      });
    },
  });
}

/**
 * Makes the dispatchers once the roots are read.
 * @throws {OidcError} `ca_bundle_invalid`; the function that it gives throws `invalid_option` for a proxy variable
 * that names no proxy.
 */
export async function createDispatchers(options: RouteOptions): Promise<Dispatchers> {
  const { caCertPath, environment } = options;
  const secureContext = await createSecureContext(caCertPath, environment);
  const connectTimeoutMilliseconds = options.connectTimeoutSeconds * 1000;
  const tls: ConnectionOptions = {
    secureContext,
    // Stated, because NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default (S04).
    rejectUnauthorized: true,
    timeout: connectTimeoutMilliseconds,
  };
  const routes = new Map<string, Route>();

  const connecting: Connecting = new Set();
  let running = 0;

  const makeRoute = (dispatcher: Dispatcher, proxyHost: string | undefined): Route => ({
    proxyHost,
    transport: async (url, init) => {
      running += 1;
      try {
        // The built-in fetch takes a dispatcher of undici 7 on Node 20 and later; its types name another version.
        return await fetch(url, { ...init, dispatcher } as unknown as RequestInit);
      } finally {
        running -= 1;
        // undici goes on connecting for a request that was aborted, which would hold the process for ten seconds.
        if (running === 0) for (const socket of connecting) socket.destroy();
      }
    },
  });

  return (url) => {
    const proxy = proxyFor(url, environment);
    const key = proxy === undefined ? "" : `${proxy.origin} ${proxy.authorization ?? ""}`;
    let route = routes.get(key);
    if (route === undefined) {
      const dispatcher =
        proxy === undefined
          ? new Agent({
              connect: watched(buildConnector(tls), connecting),
              maxHeaderSize: longestHeaderBytes,
            })
          : throughProxy(proxy, tls, connectTimeoutMilliseconds, connecting);
      route = makeRoute(dispatcher, proxy?.host);
      routes.set(key, route);
    }
    return route;
  };
}
