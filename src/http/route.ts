// Which way an address is reached: the built-in fetch, or undici where only that can. Changes when another need for
// a dispatcher arises.

import { loadPart, madeOnce } from "../core/load.ts";
import { isLocalhostName } from "../core/hosts.ts";
import type { Dispatchers, Route, RouteOptions } from "./dispatcher.ts";
import { longestRestSeconds } from "../core/limits.ts";
import type { ClosableDispatcher, Connections } from "./connections.ts";
import { builtInDispatcher } from "./unpaused.ts";

type AgentClass = new (options: object) => ClosableDispatcher;

/**
 * The class of Node's own connections. What the embedding program has put in the place of the dispatcher that all
 * requests share may be anything, a class that verifies nothing included, so only undici's own is taken.
 */
function builtInAgent(): AgentClass | undefined {
  const shared = builtInDispatcher();
  const made = shared?.constructor;
  return made?.name === "Agent" ? (made as AgentClass) : undefined;
}

/** Connections of our own by Node's own class: nobody else's settings, and nobody else's connections. */
function ownConnections(Agent: AgentClass, connectTimeoutSeconds: number): Connections {
  const restMilliseconds = longestRestSeconds * 1000;
  return {
    dispatcher: new Agent({
      connect: {
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        timeout: connectTimeoutSeconds * 1000,
      },
      keepAliveTimeout: restMilliseconds,
      keepAliveMaxTimeout: restMilliseconds,
    }),
  };
}

function isVerificationOff(environment: RouteOptions["environment"]): boolean {
  // Node itself looks at the process's own environment when it connects, so that counts too.
  return (
    environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" ||
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
  );
}

function namesProxy(environment: RouteOptions["environment"]): boolean {
  return ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].some(
    (name) => (environment[name] ?? "") !== "",
  );
}

/**
 * Finds the way to each address. undici costs some 60 milliseconds to load, so it is loaded only for a private CA, a
 * proxy, TLS verification that the environment switched off (it stays on here: CVE-2022-31105), a name that must not
 * be looked up, or where the embedding program has replaced Node's own dispatcher.
 */
export function createRouter(options: RouteOptions): (url: URL) => Promise<Route> {
  // A bundle that is put right is read again by the next operation.
  const dispatchers = madeOnce(async (): Promise<Dispatchers> => {
    const { createDispatchers } = await loadPart(() => import("./dispatcher.ts"));
    return createDispatchers(options);
  });
  let warned = false;

  return async (url) => {
    const verificationOff = isVerificationOff(options.environment);
    if (verificationOff && !warned) {
      warned = true;
      options.onWarning?.(
        "tls_verification_forced",
        "NODE_TLS_REJECT_UNAUTHORIZED=0 is set. Latchkey verifies certificates all the same; to trust a private " +
          "authority set `caCertPath`.",
      );
    }
    // With a proxy variable even exempt addresses go by a dispatcher: under NODE_USE_ENV_PROXY (Node 24) the
    // built-in fetch would send loopback addresses to the proxy.
    const needsDispatcher =
      options.caCertPath !== undefined ||
      verificationOff ||
      namesProxy(options.environment) ||
      isLocalhostName(url.hostname);
    const Agent = needsDispatcher ? undefined : builtInAgent();
    if (Agent !== undefined) {
      const make = (): Connections => ownConnections(Agent, options.connectTimeoutSeconds);
      return {
        transport: (address, init) => options.pool.fetch(url.origin, make, address, init),
        proxyHost: undefined,
      };
    }
    const wayTo = await dispatchers();
    return wayTo(url);
  };
}
