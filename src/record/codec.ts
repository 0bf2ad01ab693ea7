// How a record is written where it is kept: as it is, or, in another codec, sealed.

import type { StoredRecord } from "./format.ts";
import { parseRecord } from "./parse.ts";

/** Turns a record into what is written, and back. */
export interface RecordCodec {
  /** What is written: JSON whose `key` and `version` are the record's. */
  encode(record: StoredRecord): StoredRecord;
  /** The record, believing nothing; undefined for what cannot be used. Never throws. */
  decode(written: unknown): StoredRecord | undefined;
}

/** Writes a record as it is: whoever can read the file can read the tokens. */
export const plainCodec: RecordCodec = {
  encode: (record) => record,
  decode: (written) => parseRecord(written),
};
