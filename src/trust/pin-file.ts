// The file of pins as text: made and read in one place, every member checked.

import { join } from "node:path";
import type { Pin, ServerPin } from "./pins.ts";

/** The file of pins in Latchkey's own folder. */
export function pinFilePath(folder: string): string {
  return join(folder, "servers.json");
}

/** Longest file that is read and written, in bytes: some thousand servers. */
export const maxPinFileBytes: number = 1024 * 1024;

const format = 1;
const maxTextCharacters = 8 * 1024;
const maxScopes = 200;

/** What a file turned out to be. `why` completes "it cannot be used: …". */
export type PinFile =
  | { readonly state: "pins"; readonly pins: readonly ServerPin[] }
  | { readonly state: "damaged"; readonly why: string }
  /** Written by a later version of Latchkey. */
  | { readonly state: "newer" };

/** The content of a file, to be read by people too. */
export function formatPinFile(pins: readonly ServerPin[]): string {
  const written = pins.map(
    ({ server, issuer, clientId, audience, scopes, acceptedBy, pinnedAt }) => ({
      server,
      issuer,
      clientId,
      audience: audience ?? null,
      scopes: scopes ?? null,
      acceptedBy,
      pinnedAt: new Date(pinnedAt).toISOString(),
    }),
  );
  return `${JSON.stringify({ latchkeyServers: format, pins: written }, undefined, 2)}\n`;
}

function isText(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= maxTextCharacters &&
    !/[\u0000-\u001f\u007f]/.test(value)
  );
}

function isScopes(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxScopes && value.every(isText);
}

/** One pin with its server; undefined where a member is missing or of another kind. */
function parsePin(written: unknown): ServerPin | undefined {
  if (typeof written !== "object" || written === null) return undefined;
  const { server, issuer, clientId, audience, scopes, acceptedBy, pinnedAt } = written as Readonly<
    Record<string, unknown>
  >;
  if (!isText(server) || server === "" || !isText(issuer) || issuer === "") return undefined;
  if (!isText(clientId)) return undefined;
  if (audience !== null && !isText(audience)) return undefined;
  if (scopes !== null && !isScopes(scopes)) return undefined;
  if (acceptedBy !== "person" && acceptedBy !== "first-use") return undefined;
  const time = typeof pinnedAt === "string" ? Date.parse(pinnedAt) : Number.NaN;
  if (Number.isNaN(time)) return undefined;
  const pin: Pin = {
    issuer,
    clientId,
    audience: audience ?? undefined,
    scopes: scopes ?? undefined,
    acceptedBy,
    pinnedAt: time,
  };
  return { ...pin, server };
}

/** Understands a file as a whole or not at all: a pin that is passed over would be a server that counts as new. */
export function parsePinFile(text: string): PinFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  const { latchkeyServers: version, pins: written } = (file ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof version === "number" && version > format) return { state: "newer" };
  if (version !== format || !Array.isArray(written)) {
    return { state: "damaged", why: "it is not a list of servers" };
  }
  const pins: ServerPin[] = [];
  const seen = new Set<string>();
  for (const [place, each] of written.entries()) {
    const pin = parsePin(each);
    if (pin === undefined) {
      return {
        state: "damaged",
        why: `entry ${String(place + 1)} of it is missing or invalid in a part`,
      };
    }
    if (seen.has(pin.server)) return { state: "damaged", why: "a server stands in it twice" };
    seen.add(pin.server);
    pins.push(pin);
  }
  return { state: "pins", pins };
}
