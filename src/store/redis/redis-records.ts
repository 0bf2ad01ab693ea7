// Records in Redis, each sealed and replaced by compare and swap in one step. Changes when that step does.

import { OidcError } from "../../core/errors.ts";
import { maxRecordCharacters } from "../../core/limits.ts";
import type { Warn } from "../../core/warning.ts";
import { run, say } from "../../core/wording.ts";
import type { StoredRecord } from "../../record/format.ts";
import { parseRecord } from "../../record/parse.ts";
import type { RecordStore, ReplaceResult } from "../token-store.ts";
import { textOf, type RedisCommands } from "./redis-commands.ts";
import { namesOf, patternOfRecords, type RedisNames } from "./redis-names.ts";
import type { Seals } from "../seals.ts";
import { readRecord, replaceRecord, setAside } from "./redis-scripts.ts";

/** What records are kept with. */
export interface RedisRecordsParts {
  readonly commands: RedisCommands;
  readonly seals: Seals;
  readonly prefix: string;
  readonly location: string;
  readonly onWarning: Warn | undefined;
}

const secondsAside = 7 * 24 * 3600;
const scannedAtOnce = "500";
const readAtOnce = 50;

interface Raw {
  readonly version: string;
  readonly sealed: string;
}

function rawOf(version: unknown, sealed: unknown): Raw | undefined {
  const [of, text] = [textOf(version), textOf(sealed)];
  return of === undefined || text === undefined ? undefined : { version: of, sealed: text };
}

/** A version in the open is what the sealed record belongs to, besides its name. */
function placeOf(names: RedisNames, version: string): string {
  return JSON.stringify([names.place, version]);
}

/** The records of one prefix. */
export class RedisRecords implements Pick<RecordStore, "read" | "replace" | "list" | "tidy"> {
  readonly #parts: RedisRecordsParts;
  readonly #warnedAbout = new Set<string>();

  constructor(parts: RedisRecordsParts) {
    this.#parts = parts;
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    const names = this.#namesOf(key);
    for (;;) {
      const { reply } = await this.#parts.commands.run(readRecord, [names.record], []);
      const raw = rawOf(reply[0], reply[1]);
      if (raw === undefined) return undefined;
      const record = await this.#opened(names, raw);
      if (record !== undefined) return record;
      await this.#setAside(names, raw);
    }
  }

  async replace(
    key: string,
    expectedVersion: string | undefined,
    next: StoredRecord | undefined,
    fence?: number,
  ): Promise<ReplaceResult> {
    if (next !== undefined && next.key !== key) {
      throw new TypeError("A record is filed under its own key.");
    }
    const names = this.#namesOf(key);
    const values = await this.#parts.seals.values();
    const text = next === undefined ? "" : this.#textOf(next);
    const sealed = next === undefined ? "" : values.seal(text, placeOf(names, next.version));
    for (;;) {
      const { reply, mayHaveRunBefore } = await this.#parts.commands.run(
        replaceRecord,
        [names.record],
        [expectedVersion ?? "", next?.version ?? "", sealed, fence === undefined ? "" : `${fence}`],
      );
      const state = textOf(reply[0]);
      if (state === "done") return { replaced: true };
      const raw = rawOf(reply[1], reply[2]);
      // It is there, or gone, from a try whose answer was lost. By its bytes: another program that starts from the same
      // record gives its own the same version.
      if (next === undefined ? mayHaveRunBefore && raw === undefined : raw?.sealed === sealed) {
        return { replaced: true };
      }
      const fenced = state === "fenced" ? ({ fenced: true } as const) : {};
      if (raw === undefined) return { replaced: false, current: undefined, ...fenced };
      const current = await this.#opened(names, raw);
      if (current !== undefined) return { replaced: false, current, ...fenced };
      await this.#setAside(names, raw);
    }
  }

  async list(): Promise<readonly StoredRecord[]> {
    const found = [...(await this.#scan())];
    const records: StoredRecord[] = [];
    for (let at = 0; at < found.length; at += readAtOnce) {
      const some = found.slice(at, at + readAtOnce).map((name) => this.#readNamed(name));
      records.push(...(await Promise.all(some)).flatMap((record) => record ?? []));
    }
    return records;
  }

  async tidy(key?: string): Promise<void> {
    const { commands } = this.#parts;
    const names =
      key === undefined
        ? await this.#scan(`${patternOfRecords(this.#parts.prefix)}:aside`)
        : [this.#namesOf(key).aside];
    await Promise.all(
      [...names].map((name) => commands.run(deleteName, [name], []).catch(() => undefined)),
    );
  }

  /** Names of records, each once: a scan may come by twice. */
  async #scan(pattern: string = patternOfRecords(this.#parts.prefix)): Promise<Set<string>> {
    const names = new Set<string>();
    const words = (cursor: string): string[] => {
      return ["SCAN", cursor, "MATCH", pattern, "COUNT", scannedAtOnce];
    };
    const servers = await this.#parts.commands.everywhere(words("0"));
    await Promise.all(
      servers.map(async (server) => {
        let { reply } = server;
        for (;;) {
          const [cursor, found] = Array.isArray(reply) ? (reply as unknown[]) : [];
          for (const name of Array.isArray(found) ? (found as unknown[]) : []) {
            names.add(textOf(name) ?? "");
          }
          const next = textOf(cursor) ?? "0";
          if (next === "0") return;
          reply = await server.again(words(next));
        }
      }),
    );
    return names;
  }

  /** A record that was found by its name in Redis; what cannot be used is left to whoever reads it by its key. */
  async #readNamed(name: string): Promise<StoredRecord | undefined> {
    const { commands } = this.#parts;
    try {
      const { reply } = await commands.run(readRecord, [name], []);
      const raw = rawOf(reply[0], reply[1]);
      const names = { ...this.#namesOf(""), record: name, place: name };
      const record = raw === undefined ? undefined : await this.#opened(names, raw);
      // What was copied to another name belongs to nobody.
      return record !== undefined && this.#namesOf(record.key).record === name ? record : undefined;
    } catch (error) {
      if (!(error instanceof OidcError) || error.reason === "unreachable") throw error;
      return undefined;
    }
  }

  /** Undefined where it was changed, cut or put in another's place. @throws {OidcError} `store_unavailable` (`other_key`). */
  async #opened(names: RedisNames, { version, sealed }: Raw): Promise<StoredRecord | undefined> {
    const opened = await this.#parts.seals.open(sealed, placeOf(names, version));
    if (opened.state === "otherKey") throw this.#otherKey(names);
    if (opened.state === "damaged") return undefined;
    const record = parseRecord(parsed(opened.text));
    return record?.version === version ? record : undefined;
  }

  async #setAside(names: RedisNames, { sealed }: Raw): Promise<void> {
    const { commands, location, onWarning } = this.#parts;
    await commands.run(setAside, [names.record, names.aside], [sealed, `${secondsAside}`]);
    if (this.#warnedAbout.has(names.record)) return;
    this.#warnedAbout.add(names.record);
    onWarning?.(
      "cache_damaged",
      `A sign-in in ${location} cannot be used: it was changed or cut by something else than Latchkey. It was set aside as ${names.aside} for a week.`,
    );
  }

  #textOf(record: StoredRecord): string {
    const text = JSON.stringify(record);
    if (text.length <= maxRecordCharacters && parseRecord(parsed(text)) !== undefined) {
      return text;
    }
    throw new OidcError(
      "cache_write_failed",
      `The sign-in was not saved to ${this.#parts.location}, because a part of the provider's answer is too long to keep or holds control characters. It works until this program ends.`,
      { reason: "unusable_record", remedy: "Report it to the provider." },
    );
  }

  #otherKey({ record }: RedisNames): OidcError {
    return new OidcError(
      "store_unavailable",
      `The sign-in in ${this.#parts.location} is sealed with another key than those that this program was given, so it was left as it is.`,
      {
        reason: "other_key",
        remedy: say`Give this program that key as well; where it is lost, delete the sign-in (${run(`redis-cli del '${record}'`)}).`,
      },
    );
  }

  #namesOf(key: string): RedisNames {
    return namesOf(this.#parts.prefix, key);
  }
}

const deleteName = { keys: 1, text: `return redis.call('DEL', KEYS[1])` };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
