// Where the browser comes back to: the redirect URI that is sent and the listener that waits for it. Changes when the
// rules between `redirectUri`, `callbackHost` and `callbackPort` do.

import { OidcError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { Settings } from "./sign-in-config.ts";

/** The listener to open, and the redirect URI once its port is known. */
export interface RedirectPlan {
  readonly host: string;
  readonly ports: readonly number[];
  readonly path: string;
  /** `host:port` of an explicit redirect URI: what a browser names as Host. */
  readonly authority: string | undefined;
  /** The redirect URI to send. */
  redirectUri(listenerAuthority: string): string;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function portList(port: Settings["callbackPort"]): readonly number[] {
  return typeof port === "number" ? [port] : port;
}

/**
 * Explicit `redirectUri`: sent as it is; its path is the listener's, and its port too when it is a loopback address
 * and `callbackPort` is not set. Otherwise `http://{callbackHost}:{callbackPort}/callback`.
 * @throws {OidcError} `invalid_option` for a loopback redirect URI without a port and no `callbackPort`.
 * @see RFC 8252 section 7.3 (loopback redirection)
 */
export function planRedirect(
  settings: Pick<Settings, "redirectUri" | "callbackHost" | "callbackPort" | "explicit">,
): RedirectPlan {
  const host = withoutBrackets(settings.callbackHost);
  const ports = portList(settings.callbackPort);
  if (settings.redirectUri === undefined) {
    // A browser cannot visit the unspecified address; on the same machine it reaches the listener by loopback.
    const unspecified = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : undefined;
    return {
      host,
      ports,
      path: "/callback",
      authority: undefined,
      redirectUri: (listenerAuthority) => {
        const port = listenerAuthority.slice(listenerAuthority.lastIndexOf(":") + 1);
        return `http://${unspecified === undefined ? listenerAuthority : `${unspecified}:${port}`}/callback`;
      },
    };
  }
  const redirectUri = settings.redirectUri;
  const url = new URL(redirectUri);
  const plan = { path: url.pathname, authority: url.host, redirectUri: () => redirectUri };
  if (!isLoopbackHost(url.hostname) || settings.explicit.has("callbackPort")) {
    return { ...plan, host, ports };
  }
  if (url.port === "") {
    throw new OidcError(
      "invalid_option",
      say`${option("redirectUri")} is ${redirectUri}, a loopback address without a port, so it is not known where to listen.`,
      { remedy: say`Set ${option("callbackPort")} to the port that the browser will reach.` },
    );
  }
  const redirectHost = settings.explicit.has("callbackHost") ? host : withoutBrackets(url.hostname);
  return { ...plan, host: redirectHost, ports: [Number(url.port)] };
}
