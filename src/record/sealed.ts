// A record that was sealed before it was written: its key and version in the open, everything else for who has the key.

import { maxRecordCharacters } from "../core/limits.ts";
import type { StoredRecord } from "./format.ts";

/** A sealed record as it stands in a file. A store that knows nothing of it keeps it as it is. */
export interface SealedRecord extends StoredRecord {
  /** What `store/sealed-value.ts` makes of the record's JSON. */
  readonly sealed: string;
}

const maxKeyCharacters = 64 * 1024;
const maxVersionCharacters = 200;
const members = ["key", "version", "sealed"] as const;

/** A sealed record made from untrusted data; undefined for everything else, a record in plain text too. */
export function parseSealed(value: unknown): SealedRecord | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "sealed")) {
    return undefined;
  }
  const { key, version, sealed } = value as Readonly<Record<string, unknown>>;
  const isWhole =
    Object.keys(value).length === members.length &&
    members.every((name) => Object.hasOwn(value, name));
  const isBounded =
    typeof key === "string" &&
    key !== "" &&
    key.length <= maxKeyCharacters &&
    typeof version === "string" &&
    version !== "" &&
    version.length <= maxVersionCharacters &&
    typeof sealed === "string" &&
    sealed.length <= maxRecordCharacters &&
    /^[\w.-]+$/.test(sealed);
  return isWhole && isBounded ? { key, version, sealed } : undefined;
}

/** Whether a record that came out of a store of files is a sealed one. */
export function isSealed(record: StoredRecord): record is SealedRecord {
  return Object.hasOwn(record, "sealed");
}
