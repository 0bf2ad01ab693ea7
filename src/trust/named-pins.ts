// Which pins are meant by what a person calls a server: its address, or its host alone.

import type { ServerPin } from "./pins.ts";

/** As both are compared: an address as URLs have it, without the slash of an otherwise empty path. */
function comparable(address: string): string {
  if (!URL.canParse(address)) return address;
  const { href, pathname, search, hash } = new URL(address);
  return pathname === "/" && search === "" && hash === "" ? href.replace(/\/$/, "") : href;
}

/** `Data.example.com` → `data.example.com`; undefined for what is not a host, with or without a port. */
function hostOnly(name: string): string | undefined {
  if (/[/?#@\\]/.test(name) || !URL.canParse(`https://${name}`)) return undefined;
  return new URL(`https://${name}`).host;
}

/** The host of an address, with its port where that is not the usual one. */
function hostOfAddress(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).host : undefined;
}

/** The pins that a name is for: of the very address, else of every server on that host. */
export function pinsNamed(name: string, pins: readonly ServerPin[]): readonly ServerPin[] {
  const exact = pins.filter((pin) => comparable(pin.server) === comparable(name));
  if (exact.length > 0) return exact;
  const host = hostOnly(name);
  return host === undefined ? [] : pins.filter((pin) => hostOfAddress(pin.server) === host);
}
