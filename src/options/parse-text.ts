// Options as text: flags, environment variables and profile entries made into values. Changes when a kind is written
// in another way.

import { OidcError } from "../core/errors.ts";
import { environmentNameOf, type OptionRow } from "./row.ts";
import { optionTable } from "./table.ts";

function refuse(where: string, accepted: string): never {
  throw new OidcError("invalid_option", `${where} does not accept this value.`, {
    remedy: `Accepted: ${accepted}.`,
  });
}

/**
 * A switch as text.
 * @throws {OidcError} `invalid_option`.
 */
export function parseBoolean(text: string, where: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  return refuse(where, "true, false, 1 or 0");
}

function parseNumber(text: string, where: string): number {
  return /^\d+(?:\.\d+)?$/.test(text) && text.length <= 20
    ? Number(text)
    : refuse(where, "a number");
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/**
 * The value that `text` means for an option; `validateOption` judges it later.
 * @param where what to call the place in an error: `--callback-port`, `LATCHKEY_CALLBACK_PORT`.
 * @throws {OidcError} `invalid_option`.
 */
export function parseOptionText(row: OptionRow, text: string, where: string): unknown {
  switch (row.kind) {
    case "boolean":
      return parseBoolean(text, where);
    case "seconds":
    case "age":
    case "count":
      return parseNumber(text, where);
    case "scopes":
    case "acrValues":
      return words(text);
    case "resources": {
      const resources = words(text);
      return resources.length === 1 ? resources[0] : resources;
    }
    case "port": {
      const ports = words(text).map((word) => parseNumber(word, where));
      return ports.length === 1 ? ports[0] : ports;
    }
    default:
      return text;
  }
}

/**
 * The value that a profile's entry means: TOML's own types, or the text that a flag would take.
 * @throws {OidcError} `invalid_option`.
 */
export function parseProfileValue(row: OptionRow, value: unknown, where: string): unknown {
  if (typeof value === "string") return parseOptionText(row, value, where);
  if (typeof value === "bigint") return Number(value);
  return value;
}

/**
 * Every option that the environment sets. An empty variable counts as not set.
 * @throws {OidcError} `invalid_option`.
 */
export function readEnvironmentOptions(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const row of optionTable) {
    if (row.text !== "all" && row.text !== "secret") continue;
    const name = environmentNameOf(row);
    const text = environment[name];
    if (text) values[row.name] = parseOptionText(row, text, name);
  }
  return values;
}
