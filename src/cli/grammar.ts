// What may be typed: commands, subcommands and flags, made from the option table and the specs of the commands.

import { flagOf, type OptionRow } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { commonFlags } from "./flags.ts";
import type { ArgumentSpec, CommandSpec, FlagSpec, SubcommandSpec } from "./spec.ts";

/** What a flag stands for. */
export type Flag =
  | { readonly kind: "option"; readonly row: OptionRow }
  | { readonly kind: "command"; readonly flag: FlagSpec };

/** A command or a subcommand, with what leads to it. */
export interface GrammarCommand {
  /** As typed: `trust list`. */
  readonly path: string;
  readonly spec: SubcommandSpec;
  readonly settings: CommandSpec["settings"];
  /** Its own flags; a subcommand has those of its command too. */
  readonly flags: readonly FlagSpec[];
  readonly arguments: readonly ArgumentSpec[];
  readonly subcommands: readonly GrammarCommand[];
}

/** The whole of what may be typed. */
export interface Grammar {
  readonly commands: readonly GrammarCommand[];
  /** By name, without dashes. Of two with one name, the one that takes a value: it may be a secret. */
  readonly flags: ReadonlyMap<string, Flag>;
  /** Commands with a flag whose name means another thing for another command. */
  readonly ambiguous: readonly string[];
}

/** The options that a flag may set. */
export const flagRows: readonly OptionRow[] = optionTable.filter(
  (row) => row.text === "all" || row.text === "flag",
);

function grammarCommand(
  spec: SubcommandSpec,
  settings: CommandSpec["settings"],
  above?: CommandSpec,
): GrammarCommand {
  return {
    path: above === undefined ? spec.name : `${above.name} ${spec.name}`,
    spec,
    settings,
    flags: [...(above?.flags ?? []), ...(spec.flags ?? [])],
    arguments: spec.arguments ?? [],
    subcommands: [],
  };
}

function withSubcommands(spec: CommandSpec): GrammarCommand {
  const { settings, subcommands = [] } = spec;
  return {
    ...grammarCommand(spec, settings),
    subcommands: subcommands.map((each) => grammarCommand(each, settings, spec)),
  };
}

/** The commands that do something themselves: subcommands in the place of the command that has them. */
export function runnable({ commands }: Pick<Grammar, "commands">): readonly GrammarCommand[] {
  return commands.flatMap((each) => (each.subcommands.length === 0 ? [each] : each.subcommands));
}

/** The flags of a command, and of what stands behind it. @throws {TypeError} for two of one name. */
function ownFlags(command: GrammarCommand): ReadonlyMap<string, FlagSpec> {
  const flags = new Map<string, FlagSpec>();
  for (const flag of runnable({ commands: [command] }).flatMap((each) => each.flags)) {
    if ((flags.get(flag.name) ?? flag) !== flag) {
      throw new TypeError(`Two flags are called --${flag.name}.`);
    }
    flags.set(flag.name, flag);
  }
  return flags;
}

/** @throws {TypeError} for two flags of one name, unless one says that this is meant. */
export function createGrammar(specs: readonly CommandSpec[]): Grammar {
  const commands = specs.map(withSubcommands);
  const everywhere = new Map<string, Flag>([
    ...flagRows.map((row): [string, Flag] => [flagOf(row), { kind: "option", row }]),
    ...commonFlags.map((flag): [string, Flag] => [flag.name, { kind: "command", flag }]),
  ]);
  const flags = new Map(everywhere);
  const shared = new Set<string>();
  for (const [name, flag] of commands.flatMap((each) => [...ownFlags(each)])) {
    const known = flags.get(name);
    const candidate: Flag = { kind: "command", flag };
    if (known === undefined) flags.set(name, candidate);
    if (known === undefined || (known.kind === "command" && known.flag === flag)) continue;
    const isMeant = known.kind === "command" && (flag.sharesName ?? known.flag.sharesName);
    if (everywhere.has(name) || isMeant !== true) {
      throw new TypeError(`Two flags are called --${name}.`);
    }
    shared.add(name);
    if (takesValue(candidate)) flags.set(name, candidate);
  }
  const ambiguous = commands.filter((each) =>
    [...ownFlags(each).keys()].some((name) => shared.has(name)),
  );
  return { commands, flags, ambiguous: ambiguous.map(({ path }) => path) };
}

/** The grammar behind a command: a flag's name means what it means there. */
export function grammarBehind(grammar: Grammar, path: string | undefined): Grammar {
  const command = grammar.commands.find((each) => each.path === path);
  if (command === undefined || !grammar.ambiguous.includes(command.path)) return grammar;
  const own = [...ownFlags(command)].map(([name, flag]): [string, Flag] => [
    name,
    { kind: "command", flag },
  ]);
  return { ...grammar, flags: new Map([...grammar.flags, ...own]) };
}

/** The flag with a letter. */
export function flagWithLetter({ flags }: Grammar, letter: string): Flag | undefined {
  return [...flags.values()].find((each) => each.kind === "command" && each.flag.letter === letter);
}

/** The command with a path, `token` or `trust list`. */
export function commandAt({ commands }: Grammar, path: string): GrammarCommand | undefined {
  return commands.flatMap((each) => [each, ...each.subcommands]).find((each) => each.path === path);
}

export function takesValue(flag: Flag): boolean {
  return flag.kind === "option"
    ? flag.row.kind !== "boolean"
    : flag.flag.kind !== "switch" && flag.flag.kind !== "negatable";
}

export function isNegatable(flag: Flag): boolean {
  return flag.kind === "option" ? flag.row.kind === "boolean" : flag.flag.kind === "negatable";
}

/** The flags as they may be typed, dashes included: those of a command, where one is named that there is, else all. */
export function typedFlags({ commands, flags }: Grammar, command?: string): string[] {
  const names = (of: readonly GrammarCommand[]): Set<string> =>
    new Set(
      of
        .flatMap((each) => [each, ...each.subcommands])
        .flatMap((each) => each.flags.map(({ name }) => name)),
    );
  const named = commands.filter(({ path }) => path.split(" ", 1)[0] === command);
  const [own, all] = [names(named), names(commands)];
  return [...flags].flatMap(([name, flag]) => {
    if (named.length > 0 && all.has(name) && !own.has(name)) return [];
    return isNegatable(flag) ? [`--${name}`, `--no-${name}`] : [`--${name}`];
  });
}

function argumentUsage({ name, values, isOptional }: ArgumentSpec): string {
  const word = values?.join("|") ?? name.toUpperCase();
  return isOptional === true ? `[${word}]` : word;
}

/** One line: how a command is typed. */
export function usageOf(command: GrammarCommand): string {
  const { path, spec, subcommands, flags, settings } = command;
  return [
    `latchkey ${path}`,
    ...(subcommands.length === 0 ? [] : [subcommands.map((each) => each.spec.name).join("|")]),
    ...command.arguments.map(argumentUsage),
    ...(settings === "none" && flags.length === 0 ? [] : ["[FLAGS]"]),
    ...(spec.takesProgram === true ? ["-- PROGRAM [ARGUMENT …]"] : []),
  ].join(" ");
}
