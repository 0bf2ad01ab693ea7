// `[server."HOST"]` of the configuration file: which profile serves a server that a tool names. A server that is not in
// it gets no token.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { placeOf, type Place } from "../helpers/place.ts";
import { configurationFile, type Machine } from "../options/paths.ts";
import { isProfileName, readConfigurationFile, tablesNamed } from "./profile.ts";

/** What the table says of one server. */
export interface ServerRow {
  readonly profile: string;
  /** For tools that send a token as a password: the user name that goes with it. */
  readonly username: string | undefined;
}

const keys = ["profile", "username"];
const maxUsername = 200;

function refuse(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** One table, judged whole. */
function rowOf(name: string, value: unknown, path: string): ServerRow & { readonly place: Place } {
  const shown = sanitizeProviderText(name, 100);
  const where = `[server."${shown}"] of ${path}`;
  const place = placeOf(name);
  if (place === undefined) {
    const isForeign = /[^\u0020-\u007e]/.test(name);
    throw refuse(
      `${where} is not a host, or a host and a port.`,
      isForeign
        ? "Write letters beyond ASCII as the DNS has them: xn--…."
        : 'Write it as in [server."git.example.com"] or [server."git.example.com:8443"].',
    );
  }
  if (typeof value !== "object" || value === null) throw refuse(`${where} is not a table.`);
  const { profile, username, ...others } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const nearest = nearestName(unknown, keys);
    throw refuse(
      `${where} holds an unknown key, ${sanitizeProviderText(unknown, 60)}.`,
      nearest === undefined ? undefined : `Did you mean ${nearest}?`,
    );
  }
  if (typeof profile !== "string" || !isProfileName(profile)) {
    throw refuse(`profile in ${where} is not the name of a profile.`);
  }
  if (username === undefined) return { place, profile, username };
  const isUsual =
    typeof username === "string" &&
    username.length <= maxUsername &&
    /^[^\u0000-\u001f\u007f:]+$/.test(username);
  if (!isUsual) throw refuse(`username in ${where} is not a user name.`);
  return { place, profile, username };
}

/** Every row of the table, by its place. @throws {OidcError} `invalid_option`: two rows for one server, and each fault. */
export function serverRows(text: string, path: string): ReadonlyMap<Place, ServerRow> {
  const rows = new Map<Place, ServerRow>();
  for (const [name, value] of Object.entries(tablesNamed("server", text, path) ?? {})) {
    const row = rowOf(name, value, path);
    if (rows.has(row.place)) throw refuse(`Two tables of ${path} are about ${row.place}.`);
    rows.set(row.place, row);
  }
  return rows;
}

/**
 * The row of a server; undefined where it has none.
 * @throws {OidcError} `invalid_option`: a file that others may write, or a table with a fault.
 */
export function readServerRow(place: Place, machine: Machine): ServerRow | undefined {
  const path = configurationFile(machine);
  const text = readConfigurationFile(path);
  return text === undefined ? undefined : serverRows(text, path).get(place);
}
