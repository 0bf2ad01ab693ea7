// From the argument list to one command with its flags. Changes when the grammar of the command line does.

import { parseArgs } from "node:util";
import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { parseOptionText } from "../options/parse-text.ts";
import { flagOf, optionTable, type OptionRow } from "../options/table.ts";
import {
  choosesSignIn,
  commandFlags,
  commandNames,
  completionShells,
  type CommandFlag,
  type CommandName,
  type CompletionShell,
} from "./flags.ts";

/** A command line as it was typed, understood but not yet judged: option values are checked when they are resolved. */
export interface CommandLine {
  /** Undefined where only `--help`, `--version` or nothing was typed. */
  readonly command: CommandName | undefined;
  /** The command that help is wanted for: `latchkey help token`, `latchkey token --help`. */
  readonly topic: CommandName | undefined;
  /** Options by name, from flags alone. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Flags that are no options, by their name on the command line: true or false for switches, else the text. */
  readonly flags: Readonly<Record<string, boolean | string>>;
  /** The shell of `latchkey completion`. */
  readonly shell?: CompletionShell;
  /** What stands behind `--`: the program of `latchkey exec` and its arguments. */
  readonly program: readonly string[];
  /** What chose the options, as typed, for "Run: latchkey login …". */
  readonly configuration: readonly string[];
}

/** What a flag stands for. */
type Flag =
  | { readonly kind: "option"; readonly row: OptionRow }
  | { readonly kind: "command"; readonly flag: CommandFlag };

const longestShown = 60;

function shown(text: string): string {
  return sanitizeProviderText(text, longestShown);
}

function refuse(message: string): OidcError {
  return new OidcError("invalid_option", message);
}

/** The options that a flag may set. */
const flagRows: readonly OptionRow[] = optionTable.filter(
  (row) => row.text === "all" || row.text === "flag",
);

const flags: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ...flagRows.map((row): [string, Flag] => [flagOf(row), { kind: "option", row }]),
  ...commandFlags.map((flag): [string, Flag] => [flag.name, { kind: "command", flag }]),
]);

/** What `latchkey completion` is for. */
function completionShell(word: string | undefined): CompletionShell {
  const shell = completionShells.find((each) => each === word);
  if (shell !== undefined) return shell;
  const known = `latchkey completion ${completionShells.join("|")}`;
  throw refuse(
    word === undefined
      ? `latchkey completion needs the name of a shell: ${known}.`
      : `There is no completion for ${shown(word)}. Known: ${known}.`,
  );
}

function takesValue(flag: Flag): boolean {
  return flag.kind === "option"
    ? flag.row.kind !== "boolean"
    : flag.flag.kind !== "switch" && flag.flag.kind !== "negatable";
}

/** Whether the value may be a list by spaces. */
function takesSeveral(flag: Flag | undefined): boolean {
  return (
    flag?.kind === "option" && ["acrValues", "port", "resources", "scopes"].includes(flag.row.kind)
  );
}

function isNegatable(flag: Flag): boolean {
  return flag.kind === "option" ? flag.row.kind === "boolean" : flag.flag.kind === "negatable";
}

/** What `util.parseArgs` is told: it splits arguments into tokens; what they mean is decided here. */
function tokenizerOptions(): Record<string, { type: "string" | "boolean"; short?: string }> {
  const known: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, flag] of flags) {
    known[name] = { type: takesValue(flag) ? "string" : "boolean" };
    if (isNegatable(flag)) known[`no-${name}`] = { type: "boolean" };
  }
  known["help"] = { type: "boolean", short: "h" };
  return known;
}

/** Every flag as it may be typed, dashes included. */
export function knownFlags(): string[] {
  return [...flags].flatMap(([name, flag]) =>
    isNegatable(flag) ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
}

// A word that is shown is one that was typed as a name, never as a value: a value may be a secret (O07).
function unknownFlag(typed: string): OidcError {
  const name = typed.replace(/^-+/, "").split("=", 1)[0] ?? "";
  if (name === "client-secret") {
    return refuse(
      "There is no flag --client-secret: every program on this machine can read argument lists. Set " +
        "LATCHKEY_CLIENT_SECRET, or name a file with --client-secret-file (- is standard input).",
    );
  }
  const nearest = nearestName(`--${name}`, knownFlags());
  const [dashes = "--"] = /^-+/.exec(typed) ?? [];
  return refuse(
    `There is no flag ${shown(`${dashes}${name}`)}.${nearest === undefined ? " See: latchkey --help" : ` Did you mean ${nearest}?`}`,
  );
}

function unknownCommand(typed: string): OidcError {
  const nearest = nearestName(typed, commandNames);
  return refuse(
    `There is no command ${shown(typed)}.${nearest === undefined ? " See: latchkey --help" : ` Did you mean ${nearest}?`}`,
  );
}

function programMissing(): OidcError {
  return refuse("latchkey exec needs a program behind --: latchkey exec -- PROGRAM ARGUMENT ….");
}

function isCommand(word: string): word is CommandName {
  return (commandNames as readonly string[]).includes(word);
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

function commandFlagValue(flag: CommandFlag, token: OptionToken): boolean | string {
  if (flag.kind === "switch" || flag.kind === "negatable") {
    refuseValue(token);
    return true;
  }
  const text = valueOf(token);
  if (text === "") throw refuse(`--${token.name} needs a value that is not empty.`);
  if (flag.kind === "name" && !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)) {
    throw refuse(`--${token.name} needs the name of an environment variable, such as API_TOKEN.`);
  }
  if (flag.values !== undefined && !flag.values.includes(text)) {
    throw refuse(
      `--${token.name} does not accept this value. Accepted: ${flag.values.join(", ")}.`,
    );
  }
  if (flag.kind === "seconds" && !/^\d{1,9}$/.test(text)) {
    throw refuse(
      `--${token.name} does not accept this value. Accepted: a whole number of seconds.`,
    );
  }
  return text;
}

/** Collects what was typed; the first fault is kept, because `--help` beside it still means help. */
class Reader {
  readonly options: Record<string, unknown> = {};
  readonly flags: Record<string, boolean | string> = {};
  readonly configuration: string[] = [];
  readonly words: string[] = [];
  /** For words that stand behind the value of a flag that takes several: that flag, by the word's place. */
  readonly listFlags = new Map<number, string>();
  fault: OidcError | undefined;
  /** How many words stood before the fault. */
  wordsBeforeFault = 0;
  #listFlag: string | undefined;

  readWord(word: string): void {
    if (this.#listFlag !== undefined) this.listFlags.set(this.words.length, this.#listFlag);
    this.words.push(word);
  }

  read(token: OptionToken, typed: string): void {
    this.#listFlag = takesSeveral(flags.get(token.name)) ? token.name : undefined;
    try {
      // One dash is a group of one-letter flags to the tokenizer (`-issuer`): name what was typed.
      if (!typed.startsWith("--") && typed !== "-h") throw unknownFlag(typed);
      this.#take(token, typed);
    } catch (error) {
      if (!(error instanceof OidcError)) throw error;
      if (this.fault !== undefined) return;
      this.fault = error;
      this.wordsBeforeFault = this.words.length;
    }
  }

  #take(token: OptionToken, typed: string): void {
    const flag = flags.get(token.name);
    if (flag?.kind === "option") {
      this.#configure(flag.row.name, optionValue(flag.row, token), token);
      return;
    }
    if (flag?.kind === "command") {
      this.flags[token.name] = commandFlagValue(flag.flag, token);
      if (choosesSignIn(flag.flag)) this.#remember(token);
      return;
    }
    const denied = token.name.startsWith("no-") ? flags.get(token.name.slice(3)) : undefined;
    if (denied === undefined || !isNegatable(denied)) throw unknownFlag(typed);
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

function checkFlags(
  given: Readonly<Record<string, boolean | string>>,
  command: CommandName | undefined,
): void {
  for (const { name, commands } of commandFlags) {
    const value = given[name];
    if (value === undefined || command === undefined || commands.includes(command)) continue;
    const typed = value === false ? `--no-${name}` : `--${name}`;
    throw refuse(
      `latchkey ${command} has no flag ${typed}; it belongs to ${commands.map((each) => `latchkey ${each}`).join(", ")}.`,
    );
  }
  const forms = ["json", "header", "format"].filter((name) => Boolean(given[name]));
  if (forms.length > 1) {
    throw refuse(
      `${forms.map((name) => `--${name}`).join(" and ")} are forms of one answer. Choose one.`,
    );
  }
}

/**
 * Understands an argument list (without the program's own two). Used by the warm path and by the whole program, so
 * that the two cannot disagree. Where a flag is repeated, the last one counts.
 * @throws {OidcError} `invalid_option`, naming the argument and the nearest known one; never a value.
 */
export function parseArguments(argumentList: readonly string[]): CommandLine {
  const end = argumentList.indexOf("--");
  const own = end === -1 ? argumentList : argumentList.slice(0, end);
  const { tokens } = parseArgs({
    args: [...own],
    options: tokenizerOptions(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const reader = new Reader();
  for (const token of tokens) {
    if (token.kind === "positional") reader.readWord(token.value);
    if (token.kind !== "option") continue;
    const { name, value, inlineValue, rawName, index } = token;
    reader.read({ name, value, inline: inlineValue === true }, own[index] ?? rawName);
  }
  return understand(reader, end === -1 ? [] : argumentList.slice(end + 1));
}

function understand(reader: Reader, program: readonly string[]): CommandLine {
  const { options, flags: given, configuration, fault } = reader;
  const asksForHelp = reader.words[0] === "help";
  const [word, ...others] = asksForHelp ? reader.words.slice(1) : reader.words;
  const command = word !== undefined && isCommand(word) ? word : undefined;
  // The fault first: the word may be the value of a flag that does not exist, `--client-secret hunter2`.
  if (word !== undefined && command === undefined) throw fault ?? unknownCommand(word);
  const line = { options, flags: given, configuration, program, topic: command };
  if (asksForHelp || given["help"] === true) return { ...line, command: "help" };
  const needsProgram = command === "exec" && program.length === 0;
  // `exec curl -H …`: flags behind the program are not ours to judge. A fault before it comes first, see above.
  if (needsProgram && others.length > 0 && (fault === undefined || reader.wordsBeforeFault > 1)) {
    throw programMissing();
  }
  if (fault !== undefined) throw fault;
  if (given["version"] === true) return { ...line, command: "version" };
  const shell = command === "completion" ? completionShell(others.shift()) : undefined;
  const [surplus] = others;
  const listFlag = reader.listFlags.get(reader.words.length - others.length);
  if (surplus !== undefined) {
    throw refuse(
      `latchkey ${String(command)} takes no argument ${shown(surplus)}. ` +
        (listFlag === undefined
          ? "A flag stands before its value: --issuer URL."
          : `Several values of one flag stand in quotes: --${listFlag} "A B".`),
    );
  }
  checkFlags(given, command);
  if (needsProgram) throw programMissing();
  if (command !== "exec" && program.length > 0) {
    throw refuse("Only latchkey exec takes a program behind --.");
  }
  if (command === undefined && configuration.length > 0) {
    throw refuse(`The command is missing. Known: ${commandNames.join(", ")}.`);
  }
  return { ...line, command, ...(shell === undefined ? {} : { shell }) };
}
