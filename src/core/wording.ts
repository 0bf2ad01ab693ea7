// What is said to a person, in pieces: text, and mentions of what has another name on the command line than in the
// library. Whoever shows it has its own words for those.

import type { OptionName } from "./option-names.ts";

/** Options of calls and of `BearerTokenAuth`, which are not in the option table. */
export type CallOptionName =
  | "forceRefresh"
  | "getToken"
  | "interactive"
  | "maxAgeSeconds"
  | "minValiditySeconds"
  | "token"
  | "tokenFile";

/** An option, and the value that it should have. */
export interface OptionMention {
  readonly option: OptionName | CallOptionName;
  readonly value?: string;
}

/**
 * Something to call. `login` and `move` are whole sentences: to sign in anew, and to move the sign-ins to where `storage`
 * says. `logout` stands in one: to forget the sign-in.
 */
export interface CallMention {
  readonly call: "login" | "logout" | "move";
}

/** A command of the system to type, such as `chmod 600 FILE`. */
export interface CommandMention {
  readonly run: string;
}

/** To accept what a server says of the provider, as a whole sentence. */
export interface TrustMention {
  /** The server's address, which has no space or control character in it. */
  readonly trust: string;
}

/** A piece of what is said. */
export type WordingPart = string | OptionMention | CallMention | CommandMention | TrustMention;

/** What is said, in pieces that follow each other as they are. */
export type Wording = readonly WordingPart[];

/** The names that somebody who shows a wording has for what it mentions. */
export interface Names {
  option(name: string, value: string | undefined): string;
  call(name: CallMention["call"]): string;
  trust(server: string): string;
}

const libraryCalls: Readonly<Record<CallMention["call"], string>> = {
  login: "Call `login()`.",
  logout: "`logout()`",
  move: "Forget it with `logout()` and sign in again, or set `storage` to where it is.",
};

/** The names of the library: options by their names, methods of a credential. */
export const libraryNames: Names = {
  option: (name, value) => (value === undefined ? `\`${name}\`` : `\`${name}: ${value}\``),
  call: (name) => libraryCalls[name],
  trust: () =>
    "Accept it in `onPrompt` (event `trustQuestion`), or set `issuer` and `clientId` yourself.",
};

/** Mentions an option. */
export function option(name: OptionName | CallOptionName, value?: string | number): OptionMention {
  return value === undefined ? { option: name } : { option: name, value: String(value) };
}

/** A command of the system. What it names has been made fit for a shell. */
export function run(command: string): CommandMention {
  return { run: command };
}

/** To sign in anew, as a whole sentence. */
export const signInAnew: CallMention = { call: "login" };

/** To forget the sign-in. */
export const forgetSignIn: CallMention = { call: "logout" };

/** To move the sign-ins to where they belong, as a whole sentence. */
export const moveSignIns: CallMention = { call: "move" };

/** To accept what a server says, as a whole sentence. */
export function acceptServer(server: string): TrustMention {
  return { trust: server };
}

/** A template for a wording: `say`Set ${option("issuer")}.``. What is put in is text as it stands, or mentions. */
export function say(
  texts: TemplateStringsArray,
  ...values: readonly (number | WordingPart | Wording)[]
): Wording {
  return joined(
    ...texts.flatMap((text, index) => {
      const value = values[index];
      return value === undefined ? [text] : [text, typeof value === "number" ? `${value}` : value];
    }),
  );
}

/** Wordings one after the other, without a space between them; neighbouring texts become one. */
export function joined(...wordings: readonly (WordingPart | Wording)[]): Wording {
  const parts: WordingPart[] = [];
  for (const part of wordings.flat()) {
    const last = parts.at(-1);
    if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = last + part;
    else if (part !== "") parts.push(part);
  }
  return parts;
}

/** Sentences with a space between each two; empty ones are left out. */
export function sentences(...wordings: readonly (string | Wording)[]): Wording {
  return wordings
    .filter((each) => each.length > 0)
    .reduce<Wording>((said, each) => joined(said, said.length === 0 ? "" : " ", each), []);
}

/** The text of a wording, with the names of whoever shows it. */
export function worded(wording: string | Wording, names: Names = libraryNames): string {
  if (typeof wording === "string") return wording;
  return wording
    .map((part) => {
      if (typeof part === "string") return part;
      if ("run" in part) return part.run;
      if ("trust" in part) return names.trust(part.trust);
      return "option" in part ? names.option(part.option, part.value) : names.call(part.call);
    })
    .join("");
}

/** The wording with another sentence where it says to sign in anew; undefined where it says no such thing. */
export function withSignInSaid(wording: Wording, sentence: Wording): Wording | undefined {
  const saysSo = (part: WordingPart): boolean =>
    typeof part !== "string" && "call" in part && part.call === "login";
  if (!wording.some(saysSo)) return undefined;
  return joined(...wording.map((part) => (saysSo(part) ? sentence : part)));
}

const maxParts = 100;

function isPart(value: unknown): value is WordingPart {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null) return false;
  const { option: name, value: set, call, run: command, trust } = value as Record<string, unknown>;
  if (command !== undefined) return typeof command === "string";
  if (trust !== undefined) return typeof trust === "string" && /^[\x21-\x7e]{1,2048}$/.test(trust);
  if (name === undefined) return call === "login" || call === "logout" || call === "move";
  const hasValue = set === undefined || (typeof set === "string" && set.length <= 100);
  return typeof name === "string" && /^[A-Za-z]{1,60}$/.test(name) && hasValue;
}

/** True for a wording that came from another process and can be shown. */
export function isWording(value: unknown): value is Wording {
  return Array.isArray(value) && value.length <= maxParts && value.every(isPart);
}
