// One table put into the text of a configuration file, a profile or the row of a server; everything else that stands there stays, letter by letter.

import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";

/** `[profile.NAME]` or `[server."NAME"]`. */
export interface TableName {
  readonly kind: "profile" | "server";
  readonly name: string;
}

/** What a key of a table can hold. */
export type ProfileValue = string | number | boolean | readonly (string | number)[];

/** Keys with their values, in the order in which they are written. */
export type ProfileEntries = readonly (readonly [key: string, value: ProfileValue])[];

/** What became of the text: `undefined` where it is written in a way that cannot be changed safely. */
export interface EditedProfile {
  readonly text: string | undefined;
  /** The table as it is written. */
  readonly table: string;
  /** Whether the file had such a table, and whether with these very values. */
  readonly before: "absent" | "same" | "different";
}

// As a person writes it, and as a warm start reads it at once: without escapes wherever that is possible.
function scalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  if (!/["\\]/.test(value)) return `"${value}"`;
  return value.includes("'") ? JSON.stringify(value) : `'${value}'`;
}

function valueText(value: ProfileValue): string {
  return typeof value === "object" ? `[${value.map(scalar).join(", ")}]` : scalar(value);
}

function headerOf({ kind, name }: TableName): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? `[${kind}.${name}]` : `[${kind}."${name}"]`;
}

function isHeaderOf(line: string, { kind, name }: TableName): boolean {
  const [, its, quoted, bare] =
    /^\s*\[\s*(profile|server)\s*\.\s*(?:"([^"\\]+)"|([A-Za-z0-9_-]+))\s*\]\s*(?:#.*)?$/.exec(
      line,
    ) ?? [];
  return its === kind && (quoted ?? bare) === name;
}

function lineOf([key, value]: ProfileEntries[number]): string {
  return `${key} = ${valueText(value)}`;
}

/** The lines of a table with other values: comments and order stay, keys that are set no more go. */
function changedLines(lines: readonly string[], entries: ProfileEntries): string[] {
  const left = new Map(entries.map((entry) => [entry[0], lineOf(entry)]));
  const kept: string[] = [];
  let lastEntry = 0;
  for (const line of lines) {
    const key = /^\s*([A-Za-z0-9_-]+)\s*=/.exec(line)?.[1];
    if (key === undefined) {
      kept.push(line);
      continue;
    }
    const next = left.get(key);
    if (next === undefined) continue;
    left.delete(key);
    kept.push(next);
    lastEntry = kept.length;
  }
  kept.splice(lastEntry, 0, ...left.values());
  return kept;
}

/** Undefined where no line opens the table: it is written inline, or with dotted keys. */
function replaced(text: string, name: TableName, entries: ProfileEntries): string | undefined {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => isHeaderOf(line, name));
  if (start === -1) return undefined;
  const length = lines.slice(start + 1).findIndex((line) => /^\s*\[/.test(line));
  const end = length === -1 ? lines.length : start + 1 + length;
  return [
    ...lines.slice(0, start + 1),
    ...changedLines(lines.slice(start + 1, end), entries),
    ...lines.slice(end),
  ].join("\n");
}

/** The parser's tables have no prototype, and those made here have one. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(structuredClone(one), structuredClone(other));
}

type Tables = Readonly<Record<string, unknown>>;

function tablesIn(text: string, kind: TableName["kind"]): { rest: Tables; tables: unknown } {
  const { [kind]: tables, ...rest } = parse(text);
  return { rest, tables };
}

/**
 * Puts a table into the text of a configuration file that is valid TOML. The new text is read back: it holds this table
 * and is otherwise what it was, or it is not given.
 */
export function withTable(text: string, name: TableName, entries: ProfileEntries): EditedProfile {
  const table = `${[headerOf(name), ...entries.map(lineOf)].join("\n")}\n`;
  const { rest, tables } = tablesIn(text, name.kind);
  const known = (typeof tables === "object" && tables !== null ? tables : {}) as Tables;
  const wanted = (parse(table)[name.kind] as Tables)[name.name];
  const present = Object.hasOwn(known, name.name) ? known[name.name] : undefined;
  if (isSame(present, wanted)) return { text, table, before: "same" };
  const separated = text === "" ? "" : `${text}${text.endsWith("\n") ? "" : "\n"}\n`;
  const next = present === undefined ? separated + table : replaced(text, name, entries);
  const before = present === undefined ? "absent" : "different";
  if (next === undefined) return { text: undefined, table, before };
  try {
    const after = tablesIn(next, name.kind);
    const isRight =
      isSame(after.rest, rest) && isSame(after.tables, { ...known, [name.name]: wanted });
    return { text: isRight ? next : undefined, table, before };
  } catch {
    return { text: undefined, table, before };
  }
}
