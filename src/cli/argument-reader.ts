// Reads the flags and words of an argument list one after the other. What the words mean is for arguments.ts.

import { parseArgs } from "node:util";
import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { parseOptionText } from "../options/parse-text.ts";
import type { OptionRow } from "../options/row.ts";
import {
  flagWithLetter,
  grammarBehind,
  isNegatable,
  takesValue,
  typedFlags,
  type Flag,
  type Grammar,
} from "./grammar.ts";
import type { FlagSpec } from "./spec.ts";

const maxShown = 60;

/** A word that was typed as a name, for a message. */
export function shown(text: string): string {
  return sanitizeProviderText(text, maxShown);
}

/** What cannot be understood. */
export function refuse(message: string): OidcError {
  return new OidcError("invalid_option", message);
}

/** Whether the value may be a list by spaces. */
function takesSeveral(flag: Flag | undefined): boolean {
  return (
    flag?.kind === "option" && ["acrValues", "port", "resources", "scopes"].includes(flag.row.kind)
  );
}

interface TokenizerOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
}

/** What `util.parseArgs` is told: it splits arguments into tokens; what they mean is decided here. */
function tokenizerOptions({ flags }: Grammar): Record<string, TokenizerOption> {
  const known: Record<string, TokenizerOption> = {};
  for (const [name, flag] of flags) {
    const letter = flag.kind === "command" ? flag.flag.letter : undefined;
    const type = takesValue(flag) ? "string" : "boolean";
    known[name] = letter === undefined ? { type } : { type, short: letter };
    if (isNegatable(flag)) known[`no-${name}`] = { type: "boolean" };
  }
  return known;
}

// A word that is shown is one that was typed as a name, never as a value: a value may be a secret (O07).
function unknownFlag(typed: string, grammar: Grammar, command: string | undefined): OidcError {
  const name = typed.replace(/^-+/, "").split("=", 1)[0] ?? "";
  if (name === "client-secret") {
    return refuse(
      "There is no flag --client-secret: every program on this machine can read argument lists. Set " +
        "LATCHKEY_CLIENT_SECRET, or name a file with --client-secret-file (- is standard input).",
    );
  }
  const nearest = nearestName(`--${name}`, typedFlags(grammar, command));
  const [dashes = "--"] = /^-+/.exec(typed) ?? [];
  return refuse(
    `There is no flag ${shown(`${dashes}${name}`)}.${nearest === undefined ? " See: latchkey --help" : ` Did you mean ${nearest}?`}`,
  );
}

interface OptionToken {
  readonly name: string;
  readonly value: string | undefined;
  /** `--flag=value`, in one argument. */
  readonly inline: boolean;
}

function valueOf(token: OptionToken): string {
  const { name, value, inline } = token;
  // `--issuer --flow device` is a forgotten value; "-" alone is standard input.
  if (value === undefined || (!inline && value.startsWith("-") && value !== "-")) {
    throw refuse(`--${name} needs a value: --${name}=VALUE.`);
  }
  return value;
}

function refuseValue(token: OptionToken): void {
  if (token.value !== undefined) throw refuse(`--${token.name} takes no value.`);
}

function optionValue(row: OptionRow, token: OptionToken): unknown {
  if (row.kind === "boolean" && token.value === undefined) return true;
  return parseOptionText(row, valueOf(token), `--${token.name}`);
}

function commandFlagValue(flag: FlagSpec, token: OptionToken): boolean | string {
  if (flag.kind === "switch" || flag.kind === "negatable") {
    refuseValue(token);
    return true;
  }
  const text = valueOf(token);
  if (flag.kind === "text") return text;
  if (text === "") throw refuse(`--${token.name} needs a value that is not empty.`);
  if (flag.kind === "variable" && !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)) {
    throw refuse(`--${token.name} needs the name of an environment variable, such as API_TOKEN.`);
  }
  if (flag.values !== undefined && !flag.values.includes(text)) {
    throw refuse(
      `--${token.name} does not accept this value. Accepted: ${flag.values.join(", ")}.`,
    );
  }
  if (flag.kind === "wholeSeconds" && !/^\d{1,9}$/.test(text)) {
    throw refuse(
      `--${token.name} does not accept this value. Accepted: a whole number of seconds.`,
    );
  }
  return text;
}

/** Collects what was typed; the first fault is kept, because `--help` next to it still means help. */
export class ArgumentReader {
  readonly options: Record<string, unknown> = {};
  readonly flags: Record<string, boolean | string> = {};
  /** The values of flags that may be repeated. */
  readonly lists: Record<string, string[]> = {};
  readonly configuration: string[] = [];
  readonly words: string[] = [];
  /** For words that stand behind the value of a flag that takes several: that flag, by the word's place. */
  readonly listFlags = new Map<number, string>();
  fault: OidcError | undefined;
  /** How many words stood before the fault. */
  wordsBeforeFault = 0;
  #listFlag: string | undefined;
  readonly #grammar: Grammar;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  readWord(word: string): void {
    if (this.#listFlag !== undefined) this.listFlags.set(this.words.length, this.#listFlag);
    this.words.push(word);
  }

  read(token: OptionToken, typed: string): void {
    this.#listFlag = takesSeveral(this.#grammar.flags.get(token.name)) ? token.name : undefined;
    try {
      // One dash is a group of one-letter flags to the tokenizer (`-issuer`): name what was typed.
      if (!typed.startsWith("--") && !this.#isLetter(typed)) {
        throw unknownFlag(typed, this.#grammar, this.words[0]);
      }
      this.#take(token, typed);
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      if (this.fault !== undefined) return;
      this.fault = error;
      this.wordsBeforeFault = this.words.length;
    }
  }

  /** `-i`, or a letter with its value in one argument, `-XPOST`; a long name behind one dash (`-data`) is neither. */
  #isLetter(typed: string): boolean {
    const flag = flagWithLetter(this.#grammar, typed.slice(1, 2));
    if (flag === undefined || typed.length === 2) return flag !== undefined;
    const name = typed.slice(1).split("=", 1)[0] ?? "";
    return takesValue(flag) && !this.#grammar.flags.has(name);
  }

  #take(token: OptionToken, typed: string): void {
    const { flags } = this.#grammar;
    const flag = flags.get(token.name);
    if (flag?.kind === "option") {
      this.#configure(flag.row.name, optionValue(flag.row, token), token);
      return;
    }
    if (flag?.kind === "command") {
      const value = commandFlagValue(flag.flag, token);
      if (flag.flag.isRepeatable === true) (this.lists[token.name] ??= []).push(String(value));
      else this.flags[token.name] = value;
      if (flag.flag.choosesSignIn === true) this.#remember(token);
      return;
    }
    const denied = token.name.startsWith("no-") ? flags.get(token.name.slice(3)) : undefined;
    if (denied === undefined || !isNegatable(denied)) {
      throw unknownFlag(typed, this.#grammar, this.words[0]);
    }
    refuseValue(token);
    if (denied.kind === "option") this.#configure(denied.row.name, false, token);
    else this.flags[denied.flag.name] = false;
  }

  #configure(name: string, value: unknown, token: OptionToken): void {
    this.options[name] = value;
    this.#remember(token);
  }

  #remember(token: OptionToken): void {
    this.configuration.push(
      token.value === undefined ? `--${token.name}` : `--${token.name}=${token.value}`,
    );
  }
}

/** The command that was typed: `token` of `latchkey help token` too. */
function typedCommand(words: readonly string[]): string | undefined {
  return words[0] === "help" ? words[1] : words[0];
}

/**
 * Reads what stands before `--`. Where the name of a flag means several things, it means what it does behind the
 * command: the one that is named when its own flags are read.
 */
export function readArguments(own: readonly string[], grammar: Grammar): ArgumentReader {
  for (const command of grammar.ambiguous) {
    const reader = readAs(own, grammarBehind(grammar, command));
    if (typedCommand(reader.words) === command) return reader;
  }
  return readAs(own, grammar);
}

function readAs(own: readonly string[], grammar: Grammar): ArgumentReader {
  const { tokens } = parseArgs({
    args: [...own],
    options: tokenizerOptions(grammar),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const reader = new ArgumentReader(grammar);
  for (const token of tokens) {
    if (token.kind === "positional") reader.readWord(token.value);
    if (token.kind !== "option") continue;
    const { name, value, inlineValue, rawName, index } = token;
    reader.read({ name, value, inline: inlineValue === true }, own[index] ?? rawName);
  }
  return reader;
}
