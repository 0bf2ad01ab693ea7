// Keeps sign-ins in files: one for each key in a folder, or all of them in one file. Changes when the layout of the
// files does.

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Clock } from "../core/clock.ts";
import { isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import type { Logger } from "../core/events.ts";
import { maxRecordCharacters } from "../core/limits.ts";
import type { Warn } from "../core/warning.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { ensurePrivateFolder, isTemporaryOf, removeTemporariesOf } from "../files/atomic-write.ts";
import { checkPrivateFolderSync, errnoOf } from "../files/secure-read.ts";
import type { FlightLock } from "../lock/types.ts";
import type { StoredRecord } from "../record/format.ts";
import { cacheFileName, isCacheFileName } from "../record/key.ts";
import { readCacheFileSync } from "../record/read-sync.ts";
import { parseStored } from "../record/stored.ts";
import type { CacheFileWorld, RecordsInFile } from "./cache-file.ts";
import { changeRecords, lookAt } from "./cache-file.ts";
import { fileOfQuarantined, forgetQuarantined, mayBeOf, quarantineRecords } from "./quarantine.ts";
import { createFileLock, placeOfFile, placeOfFolder } from "./file-lock.ts";
import type { LockHolder, ReplaceResult, TokenStore } from "./token-store.ts";

/** Where the records are: a folder with a file for each key, or one file with all of them (`cachePath`). */
export type FileStoreLocation =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "file"; readonly path: string };

/** What a file store is made with. */
export interface FileStoreOptions {
  /** Absolute. */
  readonly location: FileStoreLocation;
  /** The lock across processes. */
  readonly lock: FlightLock;
  readonly clock: Clock;
  /** Cryptographically strong random bytes. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Codes: `cache_damaged`, `cache_newer_schema`, `cache_insecure`, `cache_unreadable`. */
  readonly onWarning?: Warn | undefined;
  readonly logger?: Logger | undefined;
}

/** A store of files, with what a store that seals needs of it. */
export interface FileTokenStore extends TokenStore {
  readonly level: "file-permissions";
  tidy(key?: string): Promise<void>;
  discard(key?: string): Promise<number>;
  /**
   * Takes a record away that nobody can use, and keeps it next to its file. `said`: what a person is told, by where it
   * is now.
   */
  setAside(record: StoredRecord, said: (movedTo: string) => string): Promise<void>;
  /** The file that holds the record of a key. */
  fileOf(key: string): string;
}

class FileStore implements FileTokenStore {
  readonly level = "file-permissions";
  readonly location: string;
  readonly #where: FileStoreLocation;
  readonly #lock: FlightLock;
  readonly #world: CacheFileWorld;
  /** What was read last: who is about to replace it does not read it again. */
  #lastRead: { readonly path: string; readonly read: RecordsInFile } | undefined;
  /** Files that were warned about and stay as they are: once is enough. */
  readonly #warnedAbout = new Set<string>();

  constructor(options: FileStoreOptions) {
    const { location, lock, clock, randomBytes, onWarning, logger } = options;
    this.location = location.kind === "folder" ? location.folder : location.path;
    this.#where = location;
    this.#lock = lock;
    const fileLock = createFileLock(lock, clock);
    const ownsFolder = location.kind === "folder";
    this.#world = { fileLock, ownsFolder, clock, randomBytes, onWarning, logger };
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    return (await this.#recordsOf(this.#pathOf(key))).find((record) => record.key === key);
  }

  async replace(
    key: string,
    expectedVersion: string | undefined,
    next: StoredRecord | undefined,
  ): Promise<ReplaceResult> {
    if (next !== undefined && next.key !== key) {
      throw new TypeError("A record is filed under its own key.");
    }
    if (next !== undefined && !this.#isKeepable(next)) throw this.#unusable();
    if (next !== undefined) await this.#makeFolder();
    const path = this.#pathOf(key);
    const known = this.#lastRead?.path === path ? this.#lastRead.read : undefined;
    this.#lastRead = undefined;
    let result: ReplaceResult = { replaced: true };
    await changeRecords(
      path,
      (records) => {
        const current = records.find((record) => record.key === key);
        if (current?.version !== expectedVersion) {
          result = { replaced: false, current };
          return "keep";
        }
        result = { replaced: true };
        if (current === undefined && next === undefined) return "keep";
        const others = records.filter((record) => record.key !== key);
        return next === undefined ? others : [...others, next];
      },
      this.#world,
      known,
    );
    return result;
  }

  async acquire(
    key: string,
    options: Parameters<TokenStore["acquire"]>[1],
  ): ReturnType<TokenStore["acquire"]> {
    await this.#makeFolder();
    return this.#lock.acquire(await this.#lockName(key), options);
  }

  async holder(key: string): Promise<LockHolder | undefined> {
    return this.#lock.holder?.(await this.#lockName(key));
  }

  async list(): Promise<readonly StoredRecord[]> {
    if (this.#where.kind === "file") return this.#recordsOf(this.#where.path);
    const { folder } = this.#where;
    if (checkPrivateFolderSync(folder) === "absent") return [];
    const found: StoredRecord[] = [];
    for (const name of await namesIn(folder)) {
      if (!isCacheFileName(name)) continue;
      try {
        const records = await this.#recordsOf(join(folder, name));
        // A copy under another name is a file that nobody reads, and that no logout could find by its key.
        found.push(...records.filter((record) => cacheFileName(record.key) === name));
      } catch (error) {
        if (!isOidcError(error)) throw error;
        this.#warnOnce(name, error.code, wordingOf(error));
      }
    }
    return found;
  }

  async tidy(key?: string): Promise<void> {
    const where = this.#where;
    // Whoever logs out still has a revocation before them.
    const names = await readdir(dirname(this.#pathOf(key ?? ""))).catch(() => []);
    const paths =
      key === undefined && where.kind === "folder"
        ? pathsOfLeftovers(where.folder, names)
        : [this.#pathOf(key ?? "")];
    // In the default folder a file is one key's, and so is all that was set aside of it.
    const ofKey = where.kind === "file" ? key : undefined;
    for (const path of paths) await this.#tidyFile(path, ofKey, names);
  }

  async discard(key?: string): Promise<number> {
    const where = this.#where;
    const isAll = key === undefined && where.kind === "folder";
    if (checkPrivateFolderSync(dirname(this.#pathOf(key ?? ""))) === "absent") return 0;
    const paths = isAll
      ? (await namesIn(where.folder))
          .filter(isCacheFileName)
          .map((name) => join(where.folder, name))
      : [this.#pathOf(key ?? "")];
    let discarded = 0;
    for (const path of paths) {
      try {
        discarded += await this.#discardFrom(path, key);
      } catch (error) {
        // One of many that may not be touched was told of when they were listed.
        if (!isAll || !isOidcError(error) || error.code === "cache_write_failed") throw error;
      }
    }
    await this.tidy(key);
    return discarded;
  }

  async #discardFrom(path: string, key: string | undefined): Promise<number> {
    // What is damaged is set aside by that, and what a later version wrote stays.
    if ((await lookAt(path, this.#world)).state !== "records") return 0;
    let gone = 0;
    await changeRecords(
      path,
      (records) => {
        const others = key === undefined ? [] : records.filter((record) => record.key !== key);
        gone = records.length - others.length;
        return gone === 0 ? "keep" : others;
      },
      this.#world,
    );
    return gone;
  }

  async setAside(record: StoredRecord, said: (movedTo: string) => string): Promise<void> {
    const { key, version } = record;
    // Of several programs that find it, the one that takes it away keeps it.
    if (!(await this.replace(key, version, undefined)).replaced) return;
    await quarantineRecords(this.#pathOf(key), [record], this.#world, said);
  }

  fileOf(key: string): string {
    return this.#pathOf(key);
  }

  async #tidyFile(path: string, key: string | undefined, names: readonly string[]): Promise<void> {
    const read = readCacheFileSync(path, parseStored);
    const isDamaged =
      read.state === "records" &&
      read.damaged.some((record) => key === undefined || mayBeOf(record, key));
    // Which writes it without them, and sets them aside.
    if (isDamaged) await changeRecords(path, (records) => [...records], this.#world);
    const isLeftover = (name: string): boolean =>
      isTemporaryOf(path, name) || fileOfQuarantined(name) === basename(path);
    if (!isDamaged && !names.some(isLeftover)) return;
    await this.#world.fileLock(path, async (locked) => {
      // Whoever is saving this very file now would lose it.
      await removeTemporariesOf(path, locked);
      await forgetQuarantined(path, key);
    });
  }

  /** A provider's answer may hold what no file should: the token in hand is good, but it could not be read back. */
  #unusable(): OidcError {
    return new OidcError(
      "cache_write_failed",
      `The sign-in was not saved to ${this.location}, because a part of the provider's answer is too long to keep or holds control characters. It works until this program ends.`,
      { reason: "unusable_record", remedy: "Report it to the provider." },
    );
  }

  /** Whether a record can be read back, and leaves room for those of others in one file. */
  #isKeepable(record: StoredRecord): boolean {
    return (
      JSON.stringify(record).length <= maxRecordCharacters && parseStored(record) !== undefined
    );
  }

  #pathOf(key: string): string {
    const where = this.#where;
    return where.kind === "file" ? where.path : join(where.folder, cacheFileName(key));
  }

  /** By the folder itself: reached by two paths it is one lock (docs/lock/protocol.md, step 1). */
  async #lockName(key: string): Promise<string> {
    const where = this.#where;
    const place =
      where.kind === "folder" ? await placeOfFolder(where.folder) : await placeOfFile(where.path);
    return `key:${JSON.stringify([place, key])}`;
  }

  async #recordsOf(path: string): Promise<readonly StoredRecord[]> {
    const read = await lookAt(path, this.#world);
    this.#lastRead = read.state === "records" ? { path, read } : undefined;
    if (read.state === "absent") return [];
    if (read.state === "records") {
      if (read.damaged.length > 0) {
        this.#warnOnce(
          path,
          "cache_damaged",
          `${read.damaged.length} of the sign-ins in the cache file ${path} cannot be used, because their fields are missing or invalid. The others are used.`,
        );
      }
      return read.records;
    }
    this.#warnOnce(
      path,
      "cache_newer_schema",
      say`The cache file ${path} was written by a later version of Latchkey, so this one neither uses nor changes it. Update this one, or set another ${option("cachePath")}.`,
    );
    return [];
  }

  #warnOnce(what: string, code: string, said: string | Wording): void {
    if (this.#warnedAbout.has(what)) return;
    this.#warnedAbout.add(what);
    this.#world.onWarning?.(code, said);
  }

  /** A lock is named after its folder; where none can be made, the lock says what it can do without. */
  async #makeFolder(): Promise<void> {
    const where = this.#where;
    try {
      await ensurePrivateFolder(where.kind === "folder" ? where.folder : dirname(where.path));
    } catch (error) {
      if (!isOidcError(error) || error.code === "cache_insecure") throw error;
    }
  }
}

/** The cache files of which something is left: a temporary file, or what was set aside. */
function pathsOfLeftovers(folder: string, names: readonly string[]): readonly string[] {
  const files = names.map(
    (name) => fileOfQuarantined(name) ?? name.slice(1, name.indexOf(".latchkey-")),
  );
  return [...new Set(files.filter(isCacheFileName))].map((file) => join(folder, file));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return [];
    throw new OidcError(
      "cache_unreadable",
      `The cache folder ${folder} could not be listed (${errno || "unknown fault"}).`,
      { remedy: "Check its permissions.", cause: error },
    );
  }
}

/**
 * A store in files that any number of processes share. Nothing is created on disk before the first `replace` or
 * `acquire`.
 */
export function createFileStore(options: FileStoreOptions): FileTokenStore {
  return new FileStore(options);
}
