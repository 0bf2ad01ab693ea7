// The challenges of a refusal: `WWW-Authenticate` read strictly, within bounds.

import { maxServerTextCharacters, maxScopes } from "../core/limits.ts";

/** One challenge. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

// More than any server has to say: what is longer is not read at all (D22).
const maxHeaderCharacters = 16 * 1024;
const maxChallenges = 20;
const maxParameters = 30;

// RFC 9110 section 5.6.2: token; section 11.2: token68; section 5.6.4: quoted-string.
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y;
const blanks = /[ \t]*/y;
const separators = /[ \t,]*/y;
const parameterEnd = /[ \t]*(?:,|$)/y;

/** A place in the text, moved on by what is found there. */
class Reader {
  readonly #text: string;
  #place = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#text.length;
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#place;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#place = pattern.lastIndex;
    return found;
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#place;
    return pattern.test(this.#text);
  }
}

/** The value behind `name=`; undefined where it is malformed. */
function valueOf(reader: Reader): string | undefined {
  const inQuotes = reader.take(quoted)?.[1];
  const value = inQuotes?.replaceAll(/\\(.)/gs, "$1") ?? reader.take(token)?.[0];
  return value !== undefined && reader.sees(parameterEnd) ? value : undefined;
}

/**
 * The challenges of a header's value, or of several values joined by commas. What follows a fault is not read, and the
 * challenge that has it is left out, as is one that names a parameter twice. Takes time in proportion to the length.
 * @see RFC 9110 section 11.6.1
 */
export function parseChallenges(header: string | null): readonly Challenge[] {
  if (header === null || header.length > maxHeaderCharacters) return [];
  const reader = new Reader(header);
  const challenges: Challenge[] = [];
  let open: { scheme: string; parameters: Map<string, string>; isSound: boolean } | undefined;
  const close = (): void => {
    if (open?.isSound === true) challenges.push(open);
    open = undefined;
  };
  for (;;) {
    reader.take(separators);
    if (reader.isAtEnd) break;
    const word = reader.take(token)?.[0].toLowerCase();
    if (word === undefined) return challenges;
    if (open !== undefined && reader.take(equals) !== undefined) {
      const value = valueOf(reader);
      if (value === undefined) return challenges;
      const isFit = !open.parameters.has(word) && open.parameters.size < maxParameters;
      if (isFit) open.parameters.set(word, value);
      else open.isSound = false;
      continue;
    }
    if (!reader.isAtEnd && !reader.sees(/[ \t,]/y)) return challenges;
    close();
    if (challenges.length >= maxChallenges) return challenges;
    open = { scheme: word, parameters: new Map(), isSound: true };
    reader.take(blanks);
    reader.take(token68);
  }
  close();
  return challenges;
}

function tokenChallenges(header: string | null): readonly ReadonlyMap<string, string>[] {
  return parseChallenges(header)
    .filter(({ scheme }) => ["bearer", "dpop"].includes(scheme))
    .map(({ parameters }) => parameters);
}

/** What the challenges for bearer tokens say: of each parameter the first. */
export function tokenChallenge(header: string | null): ReadonlyMap<string, string> {
  const [first, ...others] = tokenChallenges(header);
  if (first === undefined) return new Map();
  // The one that says what is wrong comes first: its parameters belong together.
  const telling = [first, ...others].find((parameters) => parameters.has("error"));
  if (telling !== undefined) return telling;
  return new Map([...others.toReversed().flatMap((each) => [...each]), ...first]);
}

/** Where the refused resource says what it is (RFC 9728 section 5.1), in whichever challenge for tokens that stands. */
export function metadataAddressIn(header: string | null): string | undefined {
  const name = "resource_metadata";
  const telling = tokenChallenge(header).get(name);
  if (telling !== undefined) return telling;
  return tokenChallenges(header)
    .find((each) => each.has(name))
    ?.get(name);
}

// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Words of a parameter that are separated by spaces; undefined where one of them is not fit to be requested (D17). */
export function wordsOf(value: string | undefined): readonly string[] | undefined {
  if (value === undefined || value.length > maxServerTextCharacters) return undefined;
  const words = [...new Set(value.split(" ").filter((word) => word !== ""))];
  const isFit = words.length > 0 && words.length <= maxScopes;
  return isFit && words.every((word) => scopeToken.test(word)) ? words : undefined;
}
