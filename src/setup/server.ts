// The server that a person names when a tool is set up for it.

import { placeOf, placeOfUrl, type Place } from "../helpers/place.ts";
import { refuseSetup, type SetupInput } from "./tool-setup.ts";

/** A server as a person typed it: a host, with or without a port, or an address. */
export interface NamedServer {
  readonly place: Place;
  /** Host and port as they were typed. */
  readonly host: string;
  readonly scheme: string;
}

/** @throws {OidcError} `invalid_option`: none was typed, or it is not a server that may get a token. */
export function serverNamed({ target }: SetupInput, tool: string): NamedServer {
  if (target === undefined) {
    throw refuseSetup(
      `${tool} asks for a token for a server, and none is named.`,
      `Name it: latchkey setup ${tool} HOST`,
    );
  }
  const [, scheme = "https", host = ""] = /^(?:([a-z]+):\/\/)?([^/]*)\/?$/i.exec(target) ?? [];
  const place = target.includes("://") ? placeOfUrl(target) : placeOf(target);
  if (place !== undefined) return { place, host, scheme: scheme.toLowerCase() };
  throw refuseSetup(
    "This is not a server that gets a token.",
    "Type its host, with the port where it is not 443: git.example.com:8443. http: counts on this machine alone.",
  );
}
