// What a cached sign-in is filed under: the key of a configuration, and the file name made from it. Which options stand
// in it, and where, says the option table (`keyPlace`).

import { defaultScopes } from "../core/default-scopes.ts";
import { keyOptions } from "../core/option-names.ts";
import { schemaVersion } from "./format.ts";

/** A configuration as far as the key is concerned. */
export interface RecordKeyInput {
  /** Which credential: a person's sign-in, or client credentials. */
  readonly kind: "interactive" | "client";
  /** Validated options by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** A switch, as a value or as a flag's text. */
function isOn(value: unknown): boolean {
  return value === true || value === "true" || value === "1";
}

const namesOfObjects = new WeakMap<object, string>();

/** The name of a server that is an object: its address, else one that no other object of any process has. */
export function nameOfSource(source: unknown): string | null {
  if (typeof source !== "object" || source === null) return null;
  const address = text((source as { address?: unknown }).address);
  if (address !== null) return address;
  const random = (): string => Math.random().toString(36).slice(2);
  const name = namesOfObjects.get(source) ?? `object ${random()}${random()}`;
  namesOfObjects.set(source, name);
  return name;
}

/** A set in one fixed order: neither order nor repetition of scopes makes another sign-in. */
function sortedSet(value: unknown): string[] | null {
  return Array.isArray(value) ? [...new Set(value.map(String))].toSorted() : null;
}

/** A list whose order means something (`acr_values` are in order of preference). */
function orderedList(value: unknown): string[] | null {
  return Array.isArray(value) ? value.map(String) : null;
}

/** One resource is the same as a list of that one. */
function resources(value: unknown): string[] | null {
  return sortedSet(typeof value === "string" ? [value] : value);
}

function sortedPairs(value: unknown): [string, string][] | null {
  if (typeof value !== "object" || value === null) return null;
  const names = Object.keys(value).toSorted();
  // Nothing is sent for an empty object, exactly as for none.
  if (names.length === 0) return null;
  return names.map((name) => [name, String((value as Record<string, unknown>)[name])]);
}

/** Written out or left out, the default scopes are one configuration. A client has none by default. */
function scopesOf(value: unknown, interactive: boolean): string[] | null {
  const scopes = sortedSet(value);
  return interactive && scopes?.join(" ") === sortedSet(defaultScopes)?.join(" ") ? null : scopes;
}

/** The places that every key has; one of a later option is left out where nothing stands there or behind it. */
const placesOfFirstSchema = 11;
/** Schema and kind. */
const placesBefore = 2;

type KeyOptions = typeof keyOptions;
type Part = string | readonly string[] | readonly (readonly [string, string])[] | null;

function partOf(
  option: KeyOptions[number],
  options: RecordKeyInput["options"],
  isPersonal: boolean,
): Part {
  if (option === undefined) return null;
  const [name, , kind, forPersonAlone] = option;
  if (forPersonAlone && !isPersonal) return null;
  const value = options[name];
  // Both are there in every key: the empty text says that the other side names them.
  if (name === "issuer" || name === "clientId") return text(value) ?? "";
  switch (kind) {
    case "scopes":
      // Left out, they are the server's where there is one.
      return scopesOf(value, isPersonal && options["server"] === undefined);
    case "server":
      return text(value) ?? nameOfSource(value);
    case "boolean":
      return isOn(value) ? "true" : null;
    case "registration":
      return value === "dynamic" ? value : null;
    case "resources":
      return resources(value);
    case "parameters":
      return sortedPairs(value);
    case "acrValues":
      return orderedList(value);
    default:
      return text(value);
  }
}

/**
 * The key of a configuration: a JSON array, so that no two configurations can be written alike (C06). It depends on
 * the options alone, never on what a provider answered.
 */
export function recordKey(input: RecordKeyInput, layout: KeyOptions = keyOptions): string {
  const { kind, options } = input;
  const length = Math.max(placesOfFirstSchema, layout.length);
  const parts = Array.from({ length }, (_, place) =>
    partOf(layout[place], options, kind === "interactive"),
  );
  while (parts.length > placesOfFirstSchema && parts.at(-1) === null) parts.pop();
  return JSON.stringify([schemaVersion, kind, ...parts]);
}

/** What a key is made of, from text by the names of flags: for a start that has no time for the option table. */
export function keyOptionsOfText(
  given: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const option of keyOptions) {
    const typed = option && given[option[1]];
    if (option === undefined || typed === undefined) continue;
    const [name, , kind] = option;
    const isList = kind === "scopes" || kind === "acrValues";
    options[name] = isList ? typed.split(" ").filter((word) => word !== "") : typed;
  }
  return options;
}

function partsOf(key: string): unknown[] | undefined {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The configuration that a key was made from: options that are not set are left out. Undefined for a key that
 * {@link recordKey} does not give, a later version's for example.
 */
export function configurationOfKey(
  key: string,
  layout: KeyOptions = keyOptions,
): RecordKeyInput | undefined {
  const [, kind, ...parts] = partsOf(key) ?? [];
  if (kind !== "interactive" && kind !== "client") return undefined;
  const options: Record<string, unknown> = {};
  layout.forEach((option, place) => {
    const part = parts[place];
    if (option === undefined || part === null || part === undefined || part === "") return;
    const [name, , valueKind] = option;
    const isPairs = valueKind === "parameters" && Array.isArray(part);
    if (isPairs) options[name] = Object.fromEntries(part as [string, string][]);
    else options[name] = valueKind === "boolean" ? isOn(part) : part;
  });
  const configuration = { kind, options } as const;
  return recordKey(configuration, layout) === key ? configuration : undefined;
}

/**
 * Whether a sign-in has to be the named client's: a client id metadata document may be of no use to the provider, which
 * then has another client registered.
 */
export function bindsClient(clientId: unknown, registration: unknown): boolean {
  return !(registration === "dynamic" && /^https:/i.test(String(clientId)));
}

/**
 * Whether what a record says about itself agrees with the key that it is filed under. One that was edited by hand
 * does not (C16). A key that is not ours to read (another store's test) agrees with everything.
 */
export function agreesWithKey(record: {
  readonly key: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly tokenEndpoint: string;
}): boolean {
  if (!record.key.startsWith(`[${schemaVersion},"`)) return true;
  const parts = partsOf(record.key);
  if (parts === undefined) return false;
  const partNamed = (name: string): unknown =>
    parts[placesBefore + keyOptions.findIndex((option) => option?.[0] === name)];
  return (["issuer", "clientId", "tokenEndpoint"] as const).every((name) => {
    const part = partNamed(name);
    if (name === "clientId" && !bindsClient(part, partNamed("registration"))) return true;
    // Before the first sign-in ends, prompts are counted in a record that has no endpoint yet.
    const isStillNone = name === "tokenEndpoint" && record[name] === "";
    return part === null || part === "" || part === record[name] || isStillNone;
  });
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotateLeft(Math.imul(word, first), bits), second);
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/**
 * MurmurHash3 x86 128 (Austin Appleby, public domain) as four 32-bit words. Loading `node:crypto` for a file name
 * would cost a warm start a fifth of its time; the record repeats the whole key, so a collision is only a shared file.
 */
export function murmur3(bytes: Uint8Array, seed: number): [number, number, number, number] {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 ^= scramble(view.getUint32(at, true), c1, 15, c2);
    h1 = (Math.imul(rotateLeft(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(view.getUint32(at + 4, true), c2, 16, c3);
    h2 = (Math.imul(rotateLeft(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(view.getUint32(at + 8, true), c3, 17, c4);
    h3 = (Math.imul(rotateLeft(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(view.getUint32(at + 12, true), c4, 18, c1);
    h4 = (Math.imul(rotateLeft(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  // The rest, filled up with zeros: a word of zeros changes nothing.
  const rest = new DataView(new ArrayBuffer(16));
  bytes.subarray(whole).forEach((byte, at) => rest.setUint8(at, byte));
  h1 ^= scramble(rest.getUint32(0, true), c1, 15, c2);
  h2 ^= scramble(rest.getUint32(4, true), c2, 16, c3);
  h3 ^= scramble(rest.getUint32(8, true), c3, 17, c4);
  h4 ^= scramble(rest.getUint32(12, true), c4, 18, c1);

  h1 ^= bytes.length;
  h2 ^= bytes.length;
  h3 ^= bytes.length;
  h4 ^= bytes.length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  return [h1 >>> 0, h2 >>> 0, h3 >>> 0, h4 >>> 0];
}

/** 128 bits of a key as 32 hexadecimal digits. Not a cryptographic hash: whoever finds it must compare the key. */
export function hashOf(key: string): string {
  return murmur3(Buffer.from(key, "utf8"), 0)
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");
}

/** The name of the file that holds a key's record in the default cache folder: a hash, so no option is in it (C05). */
export function cacheFileName(key: string): string {
  return `${hashOf(key)}.json`;
}

/** True for a name that {@link cacheFileName} can give. */
export function isCacheFileName(name: string): boolean {
  return /^[0-9a-f]{32}\.json$/.test(name);
}
