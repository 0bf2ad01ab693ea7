// A record as it stands in a file, made into one that a store hands out: in plain text, or sealed by whoever wrote it.

import type { StoredRecord } from "./format.ts";
import { parseRecord } from "./parse.ts";
import { parseSealed } from "./sealed.ts";

/**
 * The record, believing nothing; undefined for what cannot be used. A sealed one comes out as it is: a store that has no
 * key must not take it for damaged.
 */
export function parseStored(written: unknown): StoredRecord | undefined {
  return parseSealed(written) ?? parseRecord(written);
}
