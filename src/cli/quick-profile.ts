// One profile of the configuration file, fast: the plain part of TOML that such files are written in, nothing beyond
// it. Changes when a profile may hold something new. A test holds it against profile.ts, which has a whole parser:
// that one would double what a warm start has to compile.

import { longestUserFileBytes } from "../core/limits.ts";
import { readUserFileSync } from "../files/secure-read.ts";
import { configurationFile, type Machine } from "../options/paths.ts";
import { quickName, quickOptions, quickValue } from "./quick-options.ts";

const header = /^\s*\[profile\.([A-Za-z0-9][\w-]{0,63})\]\s*(#.*)?$/;
const entry =
  /^\s*([a-z-]+)\s*=\s*(?:"([^"\\]*)"|'([^']*)'|(true|false|0|[1-9]\d{0,8})|\[\s*("[^"\\]*"(?:\s*,\s*"[^"\\]*")*)?\s*\])\s*(#.*)?$/;

function valueOf(name: string, match: RegExpExecArray): unknown {
  const [, , basic, literal, bare, list] = match;
  const kind = quickOptions.get(name);
  const typed = basic ?? literal;
  if (typed !== undefined) {
    // A relative path is refused, with words.
    return kind === "a" && !/^(\/|~\/)/.test(typed) ? undefined : quickValue(name, typed);
  }
  if (bare !== undefined) {
    const isWord = bare === "true" || bare === "false";
    return isWord === (kind === "b") && /[bsp]/.test(kind ?? "")
      ? quickValue(name, bare)
      : undefined;
  }
  const words =
    list === undefined ? [] : [...list.matchAll(/"([^"]*)"/g)].map((each) => each[1] ?? "");
  // A scope with a space in it is an error in a list, though two scopes in text.
  if (kind !== "w" || words.some((word) => word === "" || word.includes(" "))) return undefined;
  return quickValue(name, words.join(" "));
}

/**
 * The options of `[profile.NAME]` in the text of a configuration file; undefined where the full program has to look.
 * Every line of the file must be plain, in other tables too: one could be inside a string of several lines.
 */
export function quickProfile(name: string, file: string): Record<string, unknown> | undefined {
  if (/[^\t\n\x20-\x7e]/.test(file)) return undefined;
  const seen = new Set<string>();
  const options: Record<string, unknown> = {};
  let table: string | undefined;
  for (const line of file.split("\n")) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, opened] = header.exec(line) ?? [];
    const match = entry.exec(line);
    const place = opened ?? `${String(table)}.${match?.[1] ?? ""}`;
    if (seen.has(place)) return undefined;
    seen.add(place);
    if (opened !== undefined) {
      table = opened;
      continue;
    }
    if (match === null || table === undefined) return undefined;
    if (table !== name) continue;
    const key = match[1] ?? "";
    if (key === "client-secret-file") {
      if (!/^(-|\/.*|~\/.*)$/.test(match[2] ?? match[3] ?? "")) return undefined;
      continue;
    }
    const option = quickName(key);
    const value =
      option === undefined || option === "clientSecret" ? undefined : valueOf(option, match);
    if (option === undefined || value === undefined) return undefined;
    options[option] = value;
  }
  return seen.has(name) ? options : undefined;
}

/** The same from the file of this user. */
export function quickProfileOf(
  name: string,
  machine: Machine,
): Record<string, unknown> | undefined {
  const bytes = readUserFileSync(configurationFile(machine), {
    what: "configuration file",
    longestBytes: longestUserFileBytes,
    access: "othersMayRead",
    code: "invalid_option",
  });
  return bytes === undefined ? undefined : quickProfile(name, bytes.toString("utf8"));
}
