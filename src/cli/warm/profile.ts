// One profile of the configuration file for a warm start: the plain part of TOML that such files are written in,
// nothing beyond it. Changes when a profile may hold something new. A test holds it against profile.ts, whose whole
// parser would double what every start has to compile.

import { profileFlags } from "./flags.ts";
import { isUsual, optionKind, warmKind, type Given } from "./options.ts";

const header = /^\s*\[(?:profile\.([A-Za-z0-9][\w-]{0,63})|(server\."[\w.:[\]-]+"))\]\s*(#.*)?$/;
const entry =
  /^\s*([a-z-]+)\s*=\s*(?:"([^"\\]*)"|'([^']*)'|(true|false|0|[1-9]\d{0,8})|\[\s*("[^"\\]*"(?:\s*,\s*"[^"\\]*")*)\s*\])\s*(#.*)?$/;

function textOf(kind: string, match: RegExpExecArray): string | undefined {
  const [, key, basic, literal, bare, list] = match;
  const typed = basic ?? literal;
  if (typed !== undefined) {
    // A relative path is refused, with words.
    if (key === "client-secret-file" && typed === "-") return typed;
    return /^(path|file)$/.test(kind) && !/^~?\//.test(typed) ? undefined : typed;
  }
  if (bare !== undefined) {
    const isWord = bare === "true" || bare === "false";
    const isUsualKind = isWord ? kind === "boolean" : /^(seconds|age|count|port)$/.test(kind);
    return isUsualKind ? bare : undefined;
  }
  const words = list?.slice(1, -1).split(/"\s*,\s*"/) ?? [];
  // A scope with a space in it is an error in a list, though two scopes in text.
  return kind === "scopes" && !words.some((word) => word === "" || word.includes(" "))
    ? words.join(" ")
    : undefined;
}

/**
 * The options of `[profile.NAME]` in the text of a configuration file; undefined where the full program has to look.
 * Every line of the file must be plain, in other tables too: one could be inside a string of several lines.
 */
export function warmProfile(name: string, file: string): Given | undefined {
  if (/[^\t\n\x20-\x7e]/.test(file)) return undefined;
  const seen = new Set<string>();
  const given: Given = {};
  let table: string | undefined;
  for (const line of file.split("\n")) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, profile, other] = header.exec(line) ?? [];
    const opened = profile ?? other;
    const match = entry.exec(line);
    const key = match?.[1] ?? "";
    const place = opened ?? `${String(table)}.${key}`;
    if (seen.has(place)) return undefined;
    seen.add(place);
    if (opened !== undefined) {
      table = opened;
      continue;
    }
    if (match === null || table === undefined) return undefined;
    if (table !== name) continue;
    const kind = profileFlags.includes(` ${key} `) ? warmKind(key) : optionKind(key);
    const text = textOf(kind, match);
    if (text === undefined || kind === "secret" || !isUsual(kind, text)) return undefined;
    given[key] = text;
  }
  return seen.has(name) ? given : undefined;
}
