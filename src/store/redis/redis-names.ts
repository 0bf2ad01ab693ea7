// What things are called in Redis. Changes when the layout of the keys does.

import type * as cryptoModule from "node:crypto";

/** The names that belong to one lock, and to the record of the same name. All are in one slot of a cluster. */
export interface RedisNames {
  readonly record: string;
  readonly lock: string;
  readonly flight: string;
  readonly aside: string;
  readonly news: string;
  /** What is sealed belongs to this, wherever it is kept. */
  readonly place: string;
}

/** What names are made from. */
export const acceptedPrefix: RegExp = /^[\w.:/-]{1,100}$/;

/** The names of a lock or a record. Of its own name only a digest is seen: it holds issuer, client and account. */
export function namesOf(prefix: string, name: string): RedisNames {
  const { createHash }: typeof cryptoModule = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256")
    .update(JSON.stringify(["latchkey", name]))
    .digest("base64url");
  const record = `${prefix}:{${digest}}`;
  return {
    record,
    lock: `${record}:lock`,
    flight: `${record}:flight`,
    aside: `${record}:aside`,
    news: `${record}:news`,
    place: record,
  };
}

/** Finds the names of records alone, by a pattern of `SCAN`. */
export function patternOfRecords(prefix: string): string {
  // The prefix holds none of the characters that mean something in a pattern.
  return `${prefix}:{*}`;
}
