// Where a tool is about to send a token: its server's host and port, in the one form in which two of them are compared.

import { isLoopbackHost } from "../core/hosts.ts";

/** `host:port`, lower case, the port always there. */
export type Place = string & { readonly __place: never };

const maxCharacters = 300;
const portOf: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * A host with or without a port, as a tool or a table names it; undefined for anything else. Letters beyond ASCII count
 * as something else: programs disagree on which name of the DNS they mean (IDNA 2003, IDNA 2008, UTS 46), and a token
 * must not depend on that.
 */
export function placeOf(text: string, scheme: "http:" | "https:" = "https:"): Place | undefined {
  if (
    text.length > maxCharacters ||
    !/^[\w.-]+(?::\d{1,5})?$|^\[[\da-f:.]+\](?::\d{1,5})?$/i.test(text)
  ) {
    return undefined;
  }
  const address = `${scheme}//${text}/`;
  if (!URL.canParse(address)) return undefined;
  const { hostname, port } = new URL(address);
  const written = text.toLowerCase().replace(/:\d+$/, "");
  // What the parser understands as another name is not what was written: `127.1`, `0x7f.0.0.1`, `[::0001]`.
  if (hostname !== written) return undefined;
  return `${hostname}:${port || String(portOf[scheme])}` as Place;
}

/**
 * The place that a scheme and a host lead to; undefined where no token may go there: another scheme, or `http:` to another
 * machine.
 */
export function placeBehind(scheme: string, host: string): Place | undefined {
  if (scheme === "https" || scheme === "grpcs") return placeOf(host);
  const place = scheme === "http" ? placeOf(host, "http:") : undefined;
  return place !== undefined && isLoopbackHost(hostAndPort(place)) ? place : undefined;
}

/** The place of an address, as {@link placeBehind} judges it. One that programs could read differently has none. */
export function placeOfUrl(text: string): Place | undefined {
  const [, scheme, host] = /^([a-z]+):\/\/([^/?#\\]+)(?:[/?#][^\\]*)?$/i.exec(text) ?? [];
  return scheme === undefined || host === undefined
    ? undefined
    : placeBehind(scheme.toLowerCase(), host);
}

/** The host alone, of an IPv6 address without its brackets. */
export function hostAndPort(place: Place): string {
  return place.slice(0, place.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}
