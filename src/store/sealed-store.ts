// Files in which each sign-in is sealed, or in plain text where that was decided when it was first kept. Changes when
// that decision does.

import { isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import type { Warn } from "../core/warning.ts";
import { forgetSignIn, moveSignIns, option, say, sentences } from "../core/wording.ts";
import type { SessionRecord, StoredRecord } from "../record/format.ts";
import { parseRecord } from "../record/parse.ts";
import { isSealed, type SealedRecord } from "../record/sealed.ts";
import type { FileTokenStore } from "./file-store.ts";
import type { Seals } from "./seals.ts";
import type { ReplaceResult, StoreLevel, TokenStore } from "./token-store.ts";

/** What records are sealed with. */
export interface RecordSeals extends Seals {
  readonly level: "keychain" | "caller-key";
  /** Where the key is, for people: completes "sealed with a key that is no longer in …". */
  readonly place: string;
  /** What a record means that is sealed with another key: nobody can ever open it, or another program may. */
  readonly otherKeyIs: "lost" | "another program's";
  /** Begins to get at the key, while a person is busy with something else. */
  prepare(): void;
}

/**
 * Where a sign-in is kept that is new here: "sealed", and none is read that is in plain text; "auto": sealed where the
 * key can be had; "plain". Afterwards it stays where it is, whatever this says.
 */
export type Placement = "sealed" | "auto" | "plain";

/** What a store that seals is made with. */
export interface SealedStoreParts {
  readonly files: FileTokenStore;
  readonly seals: RecordSeals;
  readonly placement: Placement;
  readonly onWarning: Warn | undefined;
}

/** A store whose records may be sealed, and can be moved. */
export interface SealedStore extends TokenStore {
  tidy(key?: string): Promise<void>;
  discard(key?: string): Promise<number>;
  levelOf(key: string): Promise<StoreLevel>;
}

/** What a sealed record belongs to: it opens under no other key and as no other version. */
function placeOf({ key, version }: StoredRecord): string {
  return JSON.stringify(["record", key, version]);
}

/** Seals a record. @throws {OidcError} where its key cannot be had. */
export async function sealRecord(record: StoredRecord, seals: Seals): Promise<SealedRecord> {
  const { key, version } = record;
  return {
    key,
    version,
    sealed: (await seals.values()).seal(JSON.stringify(record), placeOf(record)),
  };
}

/** What came of opening a sealed record. */
export type OpenedRecord =
  | { readonly state: "open"; readonly record: SessionRecord }
  | { readonly state: "damaged" | "otherKey" };

/** Opens a sealed record, believing nothing. @throws {OidcError} where its key cannot be had. */
export async function openRecord(stored: SealedRecord, seals: Seals): Promise<OpenedRecord> {
  const opened = await seals.open(stored.sealed, placeOf(stored));
  if (opened.state !== "open") return opened;
  const record = parseRecord(parsed(opened.text));
  const isIt = record?.key === stored.key && record.version === stored.version;
  return isIt ? { state: "open", record } : { state: "damaged" };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a record holds nothing that anybody could use: it only counts prompts, before the browser is opened. */
function holdsNoSecret(record: StoredRecord): boolean {
  const { signedInAt, accessToken, refreshToken, idToken, otherAccessTokens } =
    record as Partial<SessionRecord>;
  return (
    signedInAt === 0 &&
    accessToken === null &&
    refreshToken === undefined &&
    idToken === undefined &&
    otherAccessTokens === undefined
  );
}

class SealedFiles implements SealedStore {
  readonly level: StoreLevel;
  readonly location: string;
  readonly #parts: SealedStoreParts;
  /** What was read last of each key, so that a write need not read again to learn how it is kept. */
  readonly #seen = new Map<string, { readonly version: string; readonly isSealed: boolean }>();
  #hasSaid = false;

  constructor(parts: SealedStoreParts) {
    this.#parts = parts;
    this.level = parts.placement === "sealed" ? parts.seals.level : "file-permissions";
    this.location = parts.files.location;
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    return this.#usable(await this.#stored(key));
  }

  async replace(
    key: string,
    expectedVersion: string | undefined,
    next: StoredRecord | undefined,
  ): Promise<ReplaceResult> {
    const { files } = this.#parts;
    const written =
      next === undefined ? undefined : await this.#written(key, expectedVersion, next);
    const result = await files.replace(key, expectedVersion, written);
    if (result.replaced) {
      this.#see(key, written);
      return result;
    }
    this.#see(key, result.current);
    return { replaced: false, current: await this.#usable(result.current) };
  }

  async acquire(
    key: string,
    options: Parameters<TokenStore["acquire"]>[1],
  ): ReturnType<TokenStore["acquire"]> {
    const { files, seals, placement } = this.#parts;
    const lease = await files.acquire(key, options);
    if (!lease.held || placement === "plain") return lease;
    return {
      held: true,
      acrossProcesses: lease.acrossProcesses,
      ...(lease.takenOver === undefined ? {} : { takenOver: lease.takenOver }),
      finish: (outcome) => lease.finish(outcome),
      abandon: () => lease.abandon(),
      announce: (phase) => {
        // A keychain that is locked is unlocked while the browser is open.
        if (phase === "login") seals.prepare();
        lease.announce(phase);
      },
    };
  }

  holder(key: string): ReturnType<NonNullable<TokenStore["holder"]>> {
    const { files } = this.#parts;
    return files.holder?.(key) ?? Promise.resolve(undefined);
  }

  /** Those in plain text too, whatever the placement: they are there, and can be moved or forgotten. */
  async list(): Promise<readonly StoredRecord[]> {
    const { files, seals } = this.#parts;
    const records: StoredRecord[] = [];
    for (const stored of await files.list()) {
      if (!isSealed(stored)) {
        records.push(stored);
        continue;
      }
      // What cannot be used is dealt with by whoever reads it by its key.
      const opened = await openRecord(stored, seals);
      if (opened.state === "open") records.push(opened.record);
    }
    return records;
  }

  tidy(key?: string): Promise<void> {
    return this.#parts.files.tidy(key);
  }

  discard(key?: string): Promise<number> {
    this.#seen.clear();
    return this.#parts.files.discard(key);
  }

  async levelOf(key: string): Promise<StoreLevel> {
    const stored = await this.#stored(key);
    if (stored === undefined) return this.level;
    return isSealed(stored) ? this.#parts.seals.level : "file-permissions";
  }

  async #stored(key: string): Promise<StoredRecord | undefined> {
    const stored = await this.#parts.files.read(key);
    this.#see(key, stored);
    return stored;
  }

  #see(key: string, stored: StoredRecord | undefined): void {
    if (stored === undefined) this.#seen.delete(key);
    else this.#seen.set(key, { version: stored.version, isSealed: isSealed(stored) });
  }

  /** The record as it is handed out; undefined where nobody can use it, which was set aside then. */
  async #usable(stored: StoredRecord | undefined): Promise<StoredRecord | undefined> {
    if (stored === undefined) return undefined;
    const { files, seals, placement } = this.#parts;
    if (!isSealed(stored)) {
      if (placement === "sealed" && !holdsNoSecret(stored)) throw this.#inPlainText(stored);
      return stored;
    }
    const opened = await openRecord(stored, seals);
    if (opened.state === "open") return opened.record;
    if (opened.state === "otherKey" && seals.otherKeyIs !== "lost") throw this.#otherKey(stored);
    const why =
      opened.state === "otherKey"
        ? `is sealed with a key that is no longer in ${seals.place}, so that nobody can read it`
        : "cannot be opened: it was changed or cut by something else than Latchkey";
    await files.setAside(
      stored,
      (movedTo) =>
        `The sign-in in ${files.fileOf(stored.key)} ${why}. It was moved to ${movedTo}, which can be deleted; sign in again.`,
    );
    this.#seen.delete(stored.key);
    return undefined;
  }

  /** The form in which a record is written: that of the one before, else by where new ones belong. */
  async #written(
    key: string,
    expectedVersion: string | undefined,
    next: StoredRecord,
  ): Promise<StoredRecord> {
    if (next.key !== key) throw new TypeError("A record is filed under its own key.");
    const { placement } = this.#parts;
    // There is nothing to protect yet, and the key may be had later alone.
    if (holdsNoSecret(next)) return next;
    if (placement === "sealed") return this.#sealed(next);
    const seen = this.#seen.get(key);
    const before =
      expectedVersion === undefined || seen?.version === expectedVersion
        ? seen
        : await this.#stored(key).then(() => this.#seen.get(key));
    if (before?.version === expectedVersion && before?.isSealed === true) return this.#sealed(next);
    const isNew = expectedVersion === undefined || (await this.#isCountOfPrompts(key));
    if (placement === "plain" || !isNew) return next;
    try {
      return await this.#sealed(next);
    } catch (error) {
      if (!isOidcError(error) || error.code !== "keychain_unavailable") throw error;
      this.#sayOnce(error);
      return next;
    }
  }

  /** Whether nothing but a count of prompts was kept before: it does not say where the sign-in belongs. */
  async #isCountOfPrompts(key: string): Promise<boolean> {
    const stored = await this.#parts.files.read(key);
    return stored !== undefined && !isSealed(stored) && holdsNoSecret(stored);
  }

  /** @throws {OidcError} `cache_write_failed` for what could not be read back, and where the key cannot be had. */
  async #sealed(next: StoredRecord): Promise<SealedRecord> {
    // Judged before it is sealed: a store of files cannot look into what is sealed.
    if (parseRecord(parsed(JSON.stringify(next))) === undefined) {
      throw new OidcError(
        "cache_write_failed",
        `The sign-in was not saved to ${this.location}, because a part of the provider's answer is too long to keep or holds control characters. It works until this program ends.`,
        { reason: "unusable_record", remedy: "Report it to the provider." },
      );
    }
    return sealRecord(next, this.#parts.seals);
  }

  #sayOnce(error: OidcError): void {
    if (this.#hasSaid) return;
    this.#hasSaid = true;
    this.#parts.onWarning?.(
      error.code,
      sentences(
        `The sign-in is kept in plain text in ${this.location}, because no keychain could be used.`,
        wordingOf(error),
        say`It stays there until it is moved. ${moveSignIns}`,
      ),
    );
  }

  #inPlainText({ key }: StoredRecord): OidcError {
    return new OidcError(
      "cache_insecure",
      `The sign-in in ${this.#parts.files.fileOf(key)} is in plain text, and only sealed ones are used here. It was not used.`,
      { reason: "plain_text", remedy: say`${moveSignIns}` },
    );
  }

  #otherKey({ key }: StoredRecord): OidcError {
    return new OidcError(
      "store_unavailable",
      `The sign-in in ${this.#parts.files.fileOf(key)} is sealed with another key than those that this program was given, so it was left as it is.`,
      {
        reason: "other_key",
        remedy: say`Give this program that key as well; where it is lost, forget the sign-in (${forgetSignIn}), or set another ${option("cachePath")}.`,
      },
    );
  }
}

/** A store of files that seals. Nothing is read, written or fetched yet. */
export function createSealedStore(parts: SealedStoreParts): SealedStore {
  return new SealedFiles(parts);
}
