// What may be typed: commands, subcommands and flags, made from the option table and the specs of the commands.

import { flagOf, optionTable, type OptionRow } from "../options/table.ts";
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
  /** By name, without dashes. */
  readonly flags: ReadonlyMap<string, Flag>;
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

/** @throws {TypeError} for two flags of one name: an argument list is read before its command is known. */
export function createGrammar(specs: readonly CommandSpec[]): Grammar {
  const commands = specs.map(withSubcommands);
  const flags = new Map<string, Flag>(
    flagRows.map((row): [string, Flag] => [flagOf(row), { kind: "option", row }]),
  );
  for (const flag of [...runnable({ commands }).flatMap((each) => each.flags), ...commonFlags]) {
    const known = flags.get(flag.name);
    if (known !== undefined && (known.kind === "option" || known.flag !== flag)) {
      throw new TypeError(`Two flags are called --${flag.name}.`);
    }
    flags.set(flag.name, { kind: "command", flag });
  }
  return { commands, flags };
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

/** Every flag as it may be typed, dashes included. */
export function typedFlags({ flags }: Grammar): string[] {
  return [...flags].flatMap(([name, flag]) =>
    isNegatable(flag) ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
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
