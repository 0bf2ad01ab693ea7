// A key put into a section of a file of sections and keys: pip's, AWS's, and cargo's, as far as TOML looks like that.

import { appended, insertedAt, type Inserted } from "./lines.ts";

/** What became of the text. */
export type KeyEdit =
  | ({ readonly outcome: "in" } & Inserted)
  /** It is there already. */
  | { readonly outcome: "same" }
  /** One of the keys is there with another value. */
  | { readonly outcome: "other"; readonly key: string };

/** What is put in. */
export interface WantedKey {
  readonly section: string;
  readonly key: string;
  /** As it is written. */
  readonly value: string;
  /** Keys that say the same thing in another way. */
  readonly rivals?: readonly string[];
}

function sectionOf(line: string): string | undefined {
  return /^\s*\[\s*([^[\]]+?)\s*\]\s*(?:[#;].*)?$/.exec(line)?.[1];
}

function entryOf(line: string): readonly [key: string, value: string] | undefined {
  const [, key, value = ""] = /^\s*([\w.-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
  return key === undefined ? undefined : [key, value];
}

/** Puts a key behind the header of its section, which is made at the end where there is none. */
export function withKey(text: string, wanted: WantedKey): KeyEdit {
  const { section, key, value, rivals = [] } = wanted;
  const lines = text.split("\n");
  const line = `${key} = ${value}`;
  let current: string | undefined;
  let header: number | undefined;
  for (const [index, each] of lines.entries()) {
    const opened = sectionOf(each);
    if (opened !== undefined) current = opened;
    if (opened === section) header ??= index;
    const entry = current === section ? entryOf(each) : undefined;
    if (entry === undefined || ![key, ...rivals].includes(entry[0])) continue;
    return entry[0] === key && entry[1] === value
      ? { outcome: "same" }
      : { outcome: "other", key: entry[0] };
  }
  if (header !== undefined) return { outcome: "in", ...insertedAt(text, header + 1, [line]) };
  const space = text.trim() === "" ? [] : [""];
  return { outcome: "in", ...appended(text, [...space, `[${section}]`, line]) };
}
