// Where a proxy listens: a socket in a folder of the user's own, or a port of this machine alone.

import { OidcError } from "../core/errors.ts";

/** One of them. */
export type ListenPlace =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "port"; readonly port: number };

const address = "127.0.0.1";

function refuse(summary: string, remedy: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/**
 * Reads a place as it is typed: `127.0.0.1:8080`, or the path of a socket.
 * @param absolute makes a path absolute.
 * @throws {OidcError} `invalid_option` for any other address: whoever reaches a proxy acts as the person.
 */
export function readListenPlace(typed: string, absolute: (path: string) => string): ListenPlace {
  const [, host, digits = ""] = /^([^/\\]*):(\d{1,9})$/.exec(typed) ?? [];
  if (host === undefined) {
    if (typed === "" || /^\d+$/.test(typed)) {
      throw refuse(
        "What --listen names is neither a path nor an address with a port.",
        `It looks like ~/.run/api.sock, or ${address}:8080.`,
      );
    }
    return { kind: "socket", path: absolute(typed) };
  }
  const port = Number(digits);
  if (host !== address) {
    throw refuse(
      `A proxy listens on ${address} alone: whoever reaches it acts as you.`,
      `It looks like ${address}:${digits}.`,
    );
  }
  if (port > 65_535) throw refuse("What --listen names is not a port.", "It is 65535 at most.");
  return { kind: "port", port };
}

/** `host:port` of each name that a port of this machine has for its clients. */
export function hostsOfPort(port: number): readonly string[] {
  const names = [address, "localhost"];
  return [...names.map((name) => `${name}:${String(port)}`), ...(port === 80 ? names : [])];
}
