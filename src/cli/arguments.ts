// From the argument list to one command with its flags. Changes when the grammar of the command line does.

import type { OidcError } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { readArguments, refuse, shown, type ArgumentReader } from "./argument-reader.ts";
import { grammar as theGrammar } from "./command-grammar.ts";
import {
  grammarBehind,
  runnable,
  typedFlags,
  usageOf,
  type Grammar,
  type GrammarCommand,
} from "./grammar.ts";
import type { ArgumentSpec } from "./spec.ts";

/** A command line as it was typed, understood but not yet judged: option values are checked when they are resolved. */
export interface CommandLine {
  /** Undefined where only `--help`, `--version` or nothing was typed. */
  readonly command: string | undefined;
  /** The word behind a command that has subcommands. */
  readonly subcommand: string | undefined;
  /** The command that help is wanted for, with its subcommand: `latchkey help token`, `latchkey token --help`. */
  readonly topic: string | undefined;
  /** Options by name, from flags alone. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Flags that are not options, by their name on the command line: true or false for switches, else the text. */
  readonly flags: Readonly<Record<string, boolean | string>>;
  /** The values of flags that may be repeated, in their order; absent where there are none. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Arguments without a flag, by the names in the command's spec. */
  readonly arguments: Readonly<Record<string, string>>;
  /** What stands behind `--`: the program of `latchkey exec` and its arguments. */
  readonly program: readonly string[];
  /** What chose the options, as typed, for "Run: latchkey login …". */
  readonly configuration: readonly string[];
}

/** Every flag of this command line, or of one of its commands, as it may be typed, dashes included. */
export function knownFlags(command?: string): string[] {
  return typedFlags(theGrammar, command);
}

function unknownCommand(typed: string, commands: readonly GrammarCommand[]): OidcError {
  const nearest = nearestName(
    typed,
    commands.map(({ path }) => path),
  );
  return refuse(
    `There is no command ${shown(typed)}.${nearest === undefined ? " See: latchkey --help" : ` Did you mean ${nearest}?`}`,
  );
}

function programMissing({ path }: GrammarCommand): OidcError {
  return refuse(
    `latchkey ${path} needs a program behind --: latchkey ${path} -- PROGRAM ARGUMENT ….`,
  );
}

function checkFlags(
  { flags: given, lists }: ArgumentReader,
  command: GrammarCommand | undefined,
  grammar: Grammar,
): void {
  const all = runnable(grammar);
  for (const [name, value] of Object.entries({ ...given, ...lists })) {
    const takers = all.filter(({ flags }) => flags.some((flag) => flag.name === name));
    // Without takers it is a flag of every command.
    if (command === undefined || takers.length === 0 || takers.includes(command)) continue;
    const typed = value === false ? `--no-${name}` : `--${name}`;
    throw refuse(
      `latchkey ${command.path} has no flag ${typed}; it belongs to ${takers.map(({ path }) => `latchkey ${path}`).join(", ")}.`,
    );
  }
  const forms = [...grammar.flags].flatMap(([name, flag]) =>
    flag.kind === "command" && flag.flag.answerForm === true && Boolean(given[name]) ? [name] : [],
  );
  if (forms.length > 1) {
    throw refuse(
      `${forms.map((name) => `--${name}`).join(" and ")} are forms of one answer. Choose one.`,
    );
  }
}

/** The words of a command that stand in the places of its arguments, by their names; takes them from `words`. */
function placedArguments(command: GrammarCommand, words: string[]): Record<string, string> {
  const read: Record<string, string> = {};
  for (const spec of command.arguments) {
    const word = words.shift();
    if (word !== undefined) read[spec.name] = acceptedWord(spec, word, command);
    else if (spec.isOptional !== true) {
      throw refuse(`latchkey ${command.path} needs ${spec.what}: ${usageOf(command)}.`);
    }
  }
  return read;
}

function acceptedWord(spec: ArgumentSpec, word: string, command: GrammarCommand): string {
  const { values, missing = spec.name } = spec;
  if (values === undefined || values.includes(word)) return word;
  throw refuse(`There is no ${missing} ${shown(word)}. Known: ${usageOf(command)}.`);
}

function surplusWord(word: string, command: string, listFlag: string | undefined): OidcError {
  return refuse(
    `latchkey ${command} takes no argument ${shown(word)}. ` +
      (listFlag === undefined
        ? "A flag stands before its value: --issuer URL."
        : `Several values of one flag stand in quotes: --${listFlag} "A B".`),
  );
}

function noProgramHere(grammar: Grammar): OidcError {
  const takers = runnable(grammar).filter(({ spec }) => spec.takesProgram === true);
  const names = takers.map(({ path }) => `latchkey ${path}`).join(" and ");
  return refuse(`Only ${names} ${takers.length === 1 ? "takes" : "take"} a program behind --.`);
}

/**
 * Understands an argument list (without the program's own two). Where a flag is repeated, the last one counts.
 * @throws {OidcError} `invalid_option`, naming the argument and the nearest known one; never a value.
 */
export function parseArguments(
  argumentList: readonly string[],
  grammar: Grammar = theGrammar,
): CommandLine {
  const end = argumentList.indexOf("--");
  const own = end === -1 ? argumentList : argumentList.slice(0, end);
  const reader = readArguments(own, grammar);
  return understand(reader, end === -1 ? [] : argumentList.slice(end + 1), grammar);
}

/** The command that the words name, with its subcommand; takes those words away. */
function commandOf(
  words: string[],
  reader: ArgumentReader,
  grammar: Grammar,
): GrammarCommand | undefined {
  const word = words.shift();
  if (word === undefined) return undefined;
  const command = grammar.commands.find(({ path }) => path === word);
  // The fault first: the word may be the value of a flag that does not exist, `--client-secret hunter2`.
  if (command === undefined) throw reader.fault ?? unknownCommand(word, grammar.commands);
  const { subcommands } = command;
  if (subcommands.length === 0 || words.length === 0) return command;
  const typed = `${word} ${String(words.shift())}`;
  const subcommand = subcommands.find(({ path }) => path === typed);
  if (subcommand === undefined) throw reader.fault ?? unknownCommand(typed, subcommands);
  return subcommand;
}

function understand(
  reader: ArgumentReader,
  program: readonly string[],
  grammar: Grammar,
): CommandLine {
  const { options, flags: given, lists, configuration, fault } = reader;
  const asksForHelp = reader.words[0] === "help";
  const words = asksForHelp ? reader.words.slice(1) : [...reader.words];
  const command = commandOf(words, reader, grammar);
  const [name, subcommand] = command?.path.split(" ") ?? [];
  const line = {
    command: name,
    subcommand,
    options,
    flags: given,
    lists,
    arguments: {},
    configuration,
    program,
    topic: command?.path,
  };
  if (asksForHelp || given["help"] === true) {
    return { ...line, command: "help", subcommand: undefined };
  }
  const needsProgram = command?.spec.takesProgram === true && program.length === 0;
  const places = reader.words.length - words.length + (command?.arguments.length ?? 0);
  // `exec curl -H …`: flags behind the program are not ours to judge. A fault before it comes first, see above.
  if (
    needsProgram &&
    reader.words.length > places &&
    (fault === undefined || reader.wordsBeforeFault > places)
  ) {
    throw programMissing(command);
  }
  if (fault !== undefined) throw fault;
  if (given["version"] === true) return { ...line, command: "version", subcommand: undefined };
  if (command !== undefined && command.subcommands.length > 0) {
    const known = command.subcommands.map(({ spec }) => spec.name).join(", ");
    throw refuse(`latchkey ${command.path} needs one of: ${known}.`);
  }
  const read = command === undefined ? {} : placedArguments(command, words);
  const [surplus] = words;
  if (surplus !== undefined) {
    const place = reader.words.length - words.length;
    throw surplusWord(surplus, String(command?.path), reader.listFlags.get(place));
  }
  checkFlags(reader, command, grammarBehind(grammar, name));
  if (needsProgram) throw programMissing(command);
  if (command?.spec.takesProgram !== true && program.length > 0) throw noProgramHere(grammar);
  if (command === undefined && configuration.length > 0) {
    throw refuse(
      `The command is missing. Known: ${grammar.commands.map(({ path }) => path).join(", ")}.`,
    );
  }
  return { ...line, arguments: read };
}
