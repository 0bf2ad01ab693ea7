// What the Tab key offers for the words of a command line, for every shell alike. Changes when another kind of value
// can be completed.

import { wordsOfKind, type OptionRow } from "../options/row.ts";
import { optionTexts } from "../options/text.ts";
import { commonFlags } from "./flags.ts";
import {
  commandAt,
  flagWithLetter,
  grammarBehind,
  isNegatable,
  takesValue,
  type Flag,
  type Grammar,
  type GrammarCommand,
} from "./grammar.ts";
import type { ArgumentSpec, FlagSpec } from "./spec.ts";

/** Something that may stand in the place of the last word. */
export interface Candidate {
  readonly text: string;
  /** One line, without control characters; empty for a value. */
  readonly summary: string;
}

/** What is offered. */
export type Completion =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  /** The shell's own completion of file names. */
  | { readonly kind: "files" }
  /** The shell's own completion of another program, which begins with the word at this place. */
  | { readonly kind: "program"; readonly place: number };

/** Reads the names of what there is, where they are asked for. */
export interface KnownNames {
  profiles(): readonly string[];
  /** Servers whose word was accepted, as people name them. */
  servers(): readonly string[];
}

const nothing: Completion = { kind: "candidates", candidates: [] };

function values(words: readonly string[]): Completion {
  return { kind: "candidates", candidates: words.map((text) => ({ text, summary: "" })) };
}

function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

function typedForms(name: string, flag: Flag, text: string): Candidate[] {
  const summary = plain(text);
  const typed = { text: `--${name}`, summary };
  return isNegatable(flag)
    ? [typed, { text: `--no-${name}`, summary: `not: ${summary}` }]
    : [typed];
}

function flagCandidates(flags: readonly FlagSpec[]): Candidate[] {
  return flags.flatMap((flag) => typedForms(flag.name, { kind: "command", flag }, flag.summary));
}

function optionCandidates(grammar: Grammar): Candidate[] {
  return [...grammar.flags].flatMap(([name, flag]) =>
    flag.kind === "option" ? typedForms(name, flag, optionTexts[flag.row.name]?.summary ?? "") : [],
  );
}

/** The flags that may be typed; before a command, those that make sense with each. */
function flagsFor(command: GrammarCommand | undefined, grammar: Grammar): Completion {
  const common = (accepts: (flag: FlagSpec) => boolean): Candidate[] =>
    flagCandidates(commonFlags.filter(accepts));
  if (command === undefined) {
    const shared = common(
      ({ name, choosesSignIn }) => choosesSignIn === true || name === "help" || name === "version",
    );
    return { kind: "candidates", candidates: [...shared, ...optionCandidates(grammar)] };
  }
  const own = flagCandidates(command.flags);
  const candidates =
    command.settings === "none"
      ? [...own, ...common(({ name }) => name === "help")]
      : [...own, ...common(({ name }) => name !== "version"), ...optionCandidates(grammar)];
  return { kind: "candidates", candidates };
}

function optionValues({ kind }: OptionRow): Completion {
  const words: Readonly<Partial<Record<OptionRow["kind"], readonly string[]>>> = wordsOfKind;
  if (kind === "path") return { kind: "files" };
  return values(words[kind] ?? []);
}

function valuesOf(flag: Flag, known: KnownNames): Completion {
  if (flag.kind === "option") return optionValues(flag.row);
  const { kind, values: words = [] } = flag.flag;
  if (kind === "file") return { kind: "files" };
  return values(kind === "profile" ? known.profiles() : words);
}

function listed(commands: readonly GrammarCommand[]): Completion {
  const candidates = commands.map(({ spec }) => ({ text: spec.name, summary: spec.summary }));
  return { kind: "candidates", candidates };
}

function argumentValues(
  { values: words, offers, completes }: ArgumentSpec,
  grammar: Grammar,
  known: KnownNames,
): Completion {
  if (completes === "file") return { kind: "files" };
  if (completes === "command") return listed(grammar.commands);
  if (completes === "server") return values(known.servers());
  return values(words ?? offers ?? (completes === "profile" ? known.profiles() : []));
}

/** What is offered for a word without dashes, behind other words. */
function wordsAfter(typed: readonly string[], grammar: Grammar, known: KnownNames): Completion {
  const [first, second] = typed;
  if (first === undefined) return listed(grammar.commands);
  // `help` takes the words of the command that it explains.
  if (first === "help" && typed.length > 1) {
    return typed.length === 2
      ? listed(commandAt(grammar, second ?? "")?.subcommands ?? [])
      : nothing;
  }
  const command = commandAt(grammar, first);
  if (command === undefined) return nothing;
  if (command.subcommands.length > 0 && second === undefined) return listed(command.subcommands);
  const chosen = chosenCommand(typed, grammar);
  const argument = chosen?.arguments[typed.length - chosen.path.split(" ").length];
  return argument === undefined ? nothing : argumentValues(argument, grammar, known);
}

function chosenCommand(typed: readonly string[], grammar: Grammar): GrammarCommand | undefined {
  const [first = "", second = ""] = typed;
  return commandAt(grammar, `${first} ${second}`) ?? commandAt(grammar, first);
}

/**
 * What is offered in the place of the last word. `words` begin behind the program's name; the last one may be empty.
 * Nothing of them comes back.
 */
export function complete(
  words: readonly string[],
  grammar: Grammar,
  known: KnownNames,
): Completion {
  const typed: string[] = [];
  let open: Flag | undefined;
  for (const [place, word] of words.slice(0, -1).entries()) {
    if (open !== undefined) {
      open = undefined;
    } else if (word === "--") {
      const isTaken = chosenCommand(typed, grammar)?.spec.takesProgram === true;
      return isTaken ? { kind: "program", place: place + 1 } : nothing;
    } else if (word.startsWith("-")) {
      const behind = grammarBehind(grammar, typed[0]);
      const flag = word.startsWith("--")
        ? behind.flags.get(word.slice(2))
        : word.length === 2
          ? flagWithLetter(behind, word.slice(1))
          : undefined;
      if (flag !== undefined && takesValue(flag)) open = flag;
    } else {
      typed.push(word);
    }
  }
  if (open !== undefined) return valuesOf(open, known);
  const current = words.at(-1) ?? "";
  const [, name] = /^--([^=]+)=/.exec(current) ?? [];
  if (name !== undefined) {
    const flag = grammarBehind(grammar, typed[0]).flags.get(name);
    return flag !== undefined && takesValue(flag) ? valuesOf(flag, known) : nothing;
  }
  const offered = current.startsWith("-") ? nothing : wordsAfter(typed, grammar, known);
  if (offered.kind !== "candidates" || offered.candidates.length > 0) return offered;
  const command = chosenCommand(typed, grammar);
  // A word that is not a command: nobody knows what it takes.
  return command === undefined && typed.length > 0 ? nothing : flagsFor(command, grammar);
}
