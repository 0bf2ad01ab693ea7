// A store of files that keeps new sign-ins in plain text, and opens sealed ones where it meets some: the code for that is
// loaded then, so that plain files cost what they always did.

import { madeOnce } from "../core/load.ts";
import { isSealed } from "../record/sealed.ts";
import type { FileTokenStore } from "./file-store.ts";
import type { SealedStore } from "./sealed-store.ts";
import type { ReplaceResult, StoreLevel, TokenStore } from "./token-store.ts";

/** The same files; `load` gives the store that opens what is sealed in them. */
export function plainFirstStore(
  files: FileTokenStore,
  load: () => Promise<SealedStore>,
): SealedStore {
  const sealed = madeOnce(load);
  const sealedKeys = new Set<string>();
  const isSealedNow = (
    key: string,
    record: Parameters<typeof isSealed>[0] | undefined,
  ): boolean => {
    const is = record !== undefined && isSealed(record);
    if (is) sealedKeys.add(key);
    else sealedKeys.delete(key);
    return is;
  };
  return {
    level: files.level,
    location: files.location,
    async read(key) {
      const record = await files.read(key);
      return isSealedNow(key, record) ? (await sealed()).read(key) : record;
    },
    async replace(key, expectedVersion, next): Promise<ReplaceResult> {
      // Of a record that has been moved, nobody expects the version that it had in plain text.
      if (sealedKeys.has(key)) return (await sealed()).replace(key, expectedVersion, next);
      const result = await files.replace(key, expectedVersion, next);
      if (result.replaced || !isSealedNow(key, result.current)) return result;
      const current = await (await sealed()).read(key);
      return { replaced: false, current };
    },
    acquire: (key, options) => files.acquire(key, options),
    holder: (key): ReturnType<NonNullable<TokenStore["holder"]>> =>
      files.holder?.(key) ?? Promise.resolve(undefined),
    async list() {
      const records = await files.list();
      return records.some(isSealed) ? (await sealed()).list() : records;
    },
    tidy: (key) => files.tidy(key),
    discard: (key) => files.discard(key),
    async levelOf(key): Promise<StoreLevel> {
      if (sealedKeys.has(key)) return (await sealed()).levelOf(key);
      return isSealedNow(key, await files.read(key)) ? (await sealed()).levelOf(key) : files.level;
    },
  };
}
