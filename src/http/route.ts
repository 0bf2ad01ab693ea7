// Which way an address is reached: the built-in fetch, or undici where only that can. Changes when another need for
// a dispatcher arises.

import { loadPart, madeOnce } from "../core/load.ts";
import { isLocalhostName } from "../core/hosts.ts";
import type { Dispatchers, Route, RouteOptions } from "./dispatcher.ts";
import { builtInDispatcher, fetchWith } from "./unpaused.ts";

const direct: Route = {
  transport: (url, init) => {
    const dispatcher = builtInDispatcher();
    return dispatcher === undefined ? fetch(url, init) : fetchWith(dispatcher, url, init);
  },
  proxyHost: undefined,
};

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
 * proxy, TLS verification that the environment switched off (it stays on here: CVE-2022-31105), or a name that must not
 * be looked up.
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
          "authority set caCertPath.",
      );
    }
    // With a proxy variable even exempt addresses go by a dispatcher: under NODE_USE_ENV_PROXY (Node 24) the
    // built-in fetch would send loopback addresses to the proxy.
    const needsDispatcher =
      options.caCertPath !== undefined ||
      verificationOff ||
      namesProxy(options.environment) ||
      isLocalhostName(url.hostname);
    if (!needsDispatcher) return direct;
    const wayTo = await dispatchers();
    return wayTo(url);
  };
}
