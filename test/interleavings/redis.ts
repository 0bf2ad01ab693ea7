// A Redis of one run: what its scripts do, one at a time, with the way there and back as steps of their own. That it does
// what a real one does is compared in src/store/redis/redis-double.process.test.ts. Changes when a script does.
import type { RedisClient } from "../../src/store/redis/redis-client.ts";
import {
  freeLock,
  lookAtLock,
  readRecord,
  renewLock,
  replaceRecord,
  takeLock,
} from "../../src/store/redis/redis-scripts.ts";

interface Hash {
  readonly fields: Map<string, string>;
  expiresAt: number;
}

/** What a run changes about it. */
export interface RedisChanges {
  /** A write by an earlier holder is refused. */
  readonly hasFence: boolean;
}

/** Told of each write that is made: the names and words of the script. */
export type OnWritten = (keys: readonly string[], words: readonly string[]) => void;

/** Keys, as far as the scripts know them. */
export class RedisDouble {
  readonly #now: () => number;
  readonly #changes: RedisChanges;
  readonly #hashes = new Map<string, Hash>();
  readonly #listeners = new Map<string, Set<() => void>>();
  onWritten: OnWritten = () => undefined;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number, changes: RedisChanges = { hasFence: true }) {
    this.#now = now;
    this.#changes = changes;
  }

  /** Hears what is published; gives what ends that. */
  listen(channel: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** A client, whose commands and news come as the run lets them. */
  client(travels: () => Promise<void>, arrives: () => Promise<void>): RedisClient {
    return {
      location: "the run",
      command: async (_key, words) => {
        await travels();
        const reply = this.evaluate(words);
        await arrives();
        return reply;
      },
      commandEverywhere: () => Promise.resolve([]),
      subscribe: async (channel, listener) => {
        await travels();
        const stop = this.listen(channel, () => void arrives().then(listener));
        return { stop };
      },
    };
  }

  /** One script, whole. */
  evaluate(words: readonly string[]): unknown {
    const [command, text, count, ...given] = words;
    if (command !== "EVAL") throw new Error(`${String(command)} is not known here`);
    const keys = given.slice(0, Number(count));
    const parameters = given.slice(Number(count));
    const work = this.#scripts.get(text ?? "");
    if (work === undefined) throw new Error("a script that is not known here");
    return work(keys, parameters);
  }

  readonly #scripts = new Map<string, (keys: string[], words: string[]) => unknown>([
    [readRecord.text, ([record = ""]) => this.#get(record, "v", "s")],
    [replaceRecord.text, (keys, words) => this.#replace(keys, words)],
    [takeLock.text, (keys, words) => this.#take(keys, words)],
    [renewLock.text, (keys, words) => this.#renew(keys, words)],
    [freeLock.text, (keys, words) => this.#free(keys, words)],
    [
      lookAtLock.text,
      ([lock = "", flight = ""]) => [
        ...this.#get(lock, "f", "h"),
        ...this.#get(flight, "e", "o"),
        this.#left(lock),
      ],
    ],
  ]);

  #hash(name: string): Hash | undefined {
    const hash = this.#hashes.get(name);
    if (hash !== undefined && hash.expiresAt <= this.#now()) this.#hashes.delete(name);
    return this.#hashes.get(name);
  }

  #get(name: string, ...fields: string[]): (string | null)[] {
    const hash = this.#hash(name);
    return fields.map((field) => hash?.fields.get(field) ?? null);
  }

  #number(name: string, field: string): number {
    return Number(this.#get(name, field)[0] ?? 0);
  }

  #set(name: string, fields: Record<string, string>, milliseconds?: number): void {
    const hash = this.#hash(name) ?? { fields: new Map<string, string>(), expiresAt: Infinity };
    for (const [field, value] of Object.entries(fields)) hash.fields.set(field, value);
    if (milliseconds !== undefined) hash.expiresAt = this.#now() + milliseconds;
    this.#hashes.set(name, hash);
  }

  #left(name: string): number {
    const hash = this.#hash(name);
    if (hash === undefined) return -2;
    return hash.expiresAt === Infinity ? -1 : hash.expiresAt - this.#now();
  }

  #publish(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener();
  }

  #replace(keys: string[], words: string[]): unknown {
    const [record = ""] = keys;
    const [expected = "", version = "", sealed = "", fence = ""] = words;
    const [v = null, s = null] = this.#get(record, "v", "s");
    const isFenced = fence !== "" && Number(fence) < this.#number(record, "f");
    if (isFenced && this.#changes.hasFence) return ["fenced", v, s];
    if ((v ?? "") !== expected) return ["changed", v, s];
    this.onWritten(keys, words);
    if (version === "") this.#hashes.delete(record);
    else this.#set(record, { v: version, s: sealed, ...(fence === "" ? {} : { f: fence }) });
    return ["done", v, s];
  }

  #take([lock = "", flight = "", record = ""]: string[], words: string[]): unknown {
    const [owner = "", milliseconds = "", sealed = "", seconds = ""] = words;
    const [o, f = null, h = null] = this.#get(lock, "o", "f", "h");
    if (o !== null && o !== owner) return [0, f, h, this.#left(lock)];
    if (o !== null) return [1, f];
    const numbers = [this.#number(flight, "f") + 1, this.#number(record, "f") + 1];
    const fence = String(Math.max(Math.floor(this.#now() * 1000), ...numbers));
    this.#set(lock, { o: owner, f: fence, h: sealed }, Number(milliseconds));
    this.#set(flight, { f: fence }, Number(seconds) * 1000);
    return [1, fence];
  }

  #renew([lock = "", flight = ""]: string[], words: string[]): unknown {
    const [owner = "", fence = "", milliseconds = "", sealed = "", channel = ""] = words;
    const [o] = this.#get(lock, "o");
    if (o !== null && o !== owner) return 0;
    const isLater = this.#number(flight, "f") > Number(fence);
    if (isLater || this.#number(flight, "d") >= Number(fence)) return 0;
    this.#set(lock, { o: owner, f: fence, h: sealed }, Number(milliseconds));
    if (channel !== "") this.#publish(channel);
    return 1;
  }

  #free([lock = "", flight = ""]: string[], words: string[]): unknown {
    const [owner = "", fence = "", outcome = "", channel = "", seconds = ""] = words;
    if (this.#get(lock, "o")[0] !== owner) return 0;
    this.#hashes.delete(lock);
    const ended: Record<string, string> = outcome === "" ? {} : { e: fence, o: outcome };
    this.#set(flight, { f: fence, d: fence, ...ended }, Number(seconds) * 1000);
    this.#publish(channel);
    return 1;
  }
}
