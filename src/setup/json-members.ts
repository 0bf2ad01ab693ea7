// A member put into the text of a JSON file, and taken out again; everything else stays, letter by letter.

import { isDeepStrictEqual } from "node:util";
import type { TakenBack } from "./lines.ts";
import type { Insertion } from "./tool-setup.ts";

type Member = Extract<Insertion, { kind: "member" }>;
type JsonObject = Readonly<Record<string, unknown>>;

interface Span {
  readonly name: string;
  /** From the quote of the name to the end of the value. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const space = /[\s]*/y;
const text = /"(?:[^"\\]|\\.)*"/y;

function matched(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at;
}

/** The end of the value that begins here, in a text that is known to be JSON. */
function endOfValue(source: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const letter = source[at];
    if (letter === '"') at = matched(text, source, at);
    else if (/[\s,:{}[\]]/.test(letter ?? "")) at += 1;
    else at = matched(/[^,\]}\s]+/y, source, at);
    if (letter === "{" || letter === "[") depth += 1;
    if (letter === "}" || letter === "]") depth -= 1;
    if (depth === 0 || at >= source.length) return at;
  }
}

/** The members of the object that begins here. */
function membersOf(source: string, start: number): readonly Span[] {
  const members: Span[] = [];
  let at = matched(space, source, start + 1);
  while (source[at] === '"') {
    const nameEnd = matched(text, source, at);
    const colon = matched(space, source, nameEnd);
    const valueStart = matched(space, source, colon + 1);
    const end = endOfValue(source, valueStart);
    members.push({
      name: JSON.parse(source.slice(at, nameEnd)) as string,
      start: at,
      valueStart,
      end,
    });
    at = matched(space, source, end);
    if (source[at] === ",") at = matched(space, source, at + 1);
  }
  return members;
}

function parsed(source: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The white space in front of a member, where it stands on a line of its own. */
function indentBefore(source: string, at: number): string | undefined {
  return /\r?\n[ \t]*$/.exec(source.slice(0, at))?.[0];
}

/** Puts a member behind the last one of the object that begins here. */
function insertedInto(
  source: string,
  start: number,
  member: (indent: string | undefined) => string,
): { source: string; text: string } {
  const last = membersOf(source, start).at(-1);
  if (last === undefined) {
    const outer = /(?:^|\n)([ \t]*)[^\n]*$/.exec(source.slice(0, start))?.[1] ?? "";
    const unit = outer.includes("\t") || outer === "" ? "\t" : "  ";
    const indent = `\n${outer}${unit}`;
    const close = source.slice(start + 1, source.indexOf("}", start));
    const inserted = indent + member(indent) + (close.includes("\n") ? "" : `\n${outer}`);
    return {
      source: source.slice(0, start + 1) + inserted + source.slice(start + 1),
      text: inserted,
    };
  }
  const indent = indentBefore(source, last.start);
  const inserted = `,${indent ?? " "}${member(indent)}`;
  return { source: source.slice(0, last.end) + inserted + source.slice(last.end), text: inserted };
}

/** What became of the text. */
export type MemberEdit =
  | { readonly outcome: "in"; readonly text: string; readonly insertion: Member }
  | { readonly outcome: "same" }
  | { readonly outcome: "other"; readonly value: unknown }
  /** Not an object in JSON, or the member's parent is not an object. */
  | { readonly outcome: "unreadable" };

/** Puts `parent: { name: value }` into the text of a JSON file. */
export function withMember(
  source: string,
  parent: string,
  name: string,
  value: string,
): MemberEdit {
  if (source.trim() === "") {
    const made = `${JSON.stringify({ [parent]: { [name]: value } }, undefined, "\t")}\n`;
    return {
      outcome: "in",
      text: source + made,
      insertion: { kind: "member", parent, name, value, text: made, madeParent: true },
    };
  }
  const root = parsed(source);
  if (root === undefined) return { outcome: "unreadable" };
  const has = Object.hasOwn(root, parent);
  const known = has ? asObject(root[parent]) : {};
  if (known === undefined) return { outcome: "unreadable" };
  if (Object.hasOwn(known, name)) {
    return known[name] === value ? { outcome: "same" } : { outcome: "other", value: known[name] };
  }
  const start = source.indexOf("{");
  const span = membersOf(source, start).findLast((each) => each.name === parent);
  const pair = `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
  const edited =
    span === undefined
      ? insertedInto(source, start, (indent) => {
          const unit = indent?.replace(/^\r?\n/, "");
          const inner = indent === undefined ? [" ", " "] : [`${indent}${String(unit)}`, indent];
          return `${JSON.stringify(parent)}: {${inner[0]}${pair}${inner[1]}}`;
        })
      : insertedInto(source, span.valueStart, () => pair);
  const wanted = { ...root, [parent]: { ...known, [name]: value } };
  if (!isDeepStrictEqual(parsed(edited.source), wanted)) return { outcome: "unreadable" };
  return {
    outcome: "in",
    text: edited.source,
    insertion: {
      kind: "member",
      parent,
      name,
      value,
      text: edited.text,
      madeParent: span === undefined,
    },
  };
}

/** A text without one member of the object that begins at `start`, and without the comma that goes with it. */
function cut(source: string, start: number, name: string): string {
  const members = membersOf(source, start);
  const index = members.findLastIndex((each) => each.name === name);
  const member = members[index];
  if (member === undefined) return source;
  const [before, after] = [members[index - 1], members[index + 1]];
  if (after !== undefined) return source.slice(0, member.start) + source.slice(after.start);
  if (before !== undefined) return source.slice(0, before.end) + source.slice(member.end);
  return `${source.slice(0, start + 1)}${source.slice(source.indexOf("}", member.end))}`;
}

/** Takes a member out again; its parent too, where it was made for it and holds nothing else. */
export function withoutMember(source: string, insertion: Member): TakenBack {
  const { parent, name, value, text: inserted, madeParent } = insertion;
  const root = parsed(source);
  const known = root && asObject(root[parent]);
  if (
    source.trim() === "" ||
    (root !== undefined && (known === undefined || !Object.hasOwn(known, name)))
  ) {
    return { outcome: "gone" };
  }
  if (root === undefined || known?.[name] !== value) return { outcome: "changed" };
  const { [name]: _ours, ...others } = known;
  const { [parent]: _parent, ...rest } = root;
  const isLast = madeParent && Object.keys(others).length === 0;
  const wanted = isLast ? rest : { ...rest, [parent]: others };
  const at = source.indexOf(inserted);
  const exact = source.slice(0, at) + source.slice(at + inserted.length);
  const isExact =
    at !== -1 &&
    source.lastIndexOf(inserted) === at &&
    (exact === "" || isDeepStrictEqual(parsed(exact), wanted));
  if (isExact) return { outcome: "out", text: exact };
  const start = source.indexOf("{");
  const span = membersOf(source, start).findLast((each) => each.name === parent);
  const cutOut = isLast ? cut(source, start, parent) : span && cut(source, span.valueStart, name);
  return cutOut !== undefined && isDeepStrictEqual(parsed(cutOut), wanted)
    ? { outcome: "out", text: cutOut }
    : { outcome: "changed" };
}
