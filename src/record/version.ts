// How a record's version counts: its tokens, and what is written in between. Changes when a version's form does.

import type { SessionRecord } from "./format.ts";

type Versioned = Pick<SessionRecord, "version">;

function partsOf(record: Versioned): { id: string; counter: number; part: number } {
  const [id = "", counter, part] = record.version.split(".");
  return { id, counter: Number(counter ?? 0), part: Number(part ?? 0) };
}

/** The version after new tokens: a random id and a counter, since a bare counter would repeat after a logout. */
export function nextTokensVersion(
  previous: Versioned | undefined,
  newRecordId: () => string,
): string {
  if (previous === undefined) return `${newRecordId()}.1`;
  const { id, counter } = partsOf(previous);
  return `${id}.${String(counter + 1)}`;
}

/** The version after a change that brought no tokens. */
export function nextPartVersion(
  previous: Versioned | undefined,
  newRecordId: () => string,
): string {
  if (previous === undefined) return `${newRecordId()}.0.1`;
  const { id, counter, part } = partsOf(previous);
  return `${id}.${String(counter)}.${String(part + 1)}`;
}

/** What stays the same as long as the tokens do. */
export function tokensVersionOf(record: Versioned): string {
  const { id, counter } = partsOf(record);
  return `${id}.${String(counter)}`;
}
