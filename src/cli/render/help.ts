// The layout of `--help`. Changes when its look does.

import { wrap } from "../../interaction/layout.ts";
import { flagOf, type OptionRow } from "../../options/row.ts";
import { optionGroups, optionTexts, type OptionText } from "../../options/text.ts";
import { commonFlags } from "../flags.ts";
import { grammar as theGrammar } from "../command-grammar.ts";
import { commandAt, flagRows, usageOf, type Grammar, type GrammarCommand } from "../grammar.ts";
import type { FlagSpec } from "../spec.ts";
import { exitWords, overviewExamples, sourceWords } from "./help-words.ts";
import { pairs } from "./layout.ts";

/** One line of a list of flags. */
interface FlagLine {
  readonly flag: string;
  readonly summary: string;
}

const summaryColumn = 32;
const usageIndent = "Usage: ".length;
/** Below this width a summary stands under its flag, not next to it. */
const narrow = 64;

function layFlag({ flag, summary }: FlagLine, columns: number): string {
  const head = `  ${flag}`;
  if (columns < narrow) return `${head}\n      ${wrap(summary, columns, 6, 6)}`;
  const text = wrap(summary, columns, summaryColumn, summaryColumn);
  return head.length + 2 > summaryColumn
    ? `${head}\n${" ".repeat(summaryColumn)}${text}`
    : `${head.padEnd(summaryColumn)}${text}`;
}

function defaultOf(row: OptionRow): string {
  if (row.default === undefined || row.default === "" || row.default === false) return "";
  return ` (default\u00a0${row.default === true ? "on" : String(row.default)})`;
}

/** An option in a list of flags. */
export function optionLine(row: OptionRow, text: OptionText | undefined): FlagLine {
  const name = row.kind === "boolean" ? `--[no-]${flagOf(row)}` : `--${flagOf(row)}`;
  return {
    flag: text?.placeholder === undefined ? name : `${name} ${text.placeholder}`,
    summary: `${text?.summary ?? ""}${defaultOf(row)}`,
  };
}

function commandFlagLine({ name, kind, letter, summary, placeholder }: FlagSpec): FlagLine {
  const short = letter === undefined ? "" : `-${letter}, `;
  const typed = kind === "negatable" ? `--[no-]${name}` : `--${name}`;
  return {
    flag: `${short}${typed}${placeholder === undefined ? "" : ` ${placeholder}`}`,
    summary,
  };
}

/** A titled list of flags. */
export function section(title: string, lines: readonly FlagLine[], columns: number): string {
  return [wrap(`${title}:`, columns), ...lines.map((line) => layFlag(line, columns))].join("\n");
}

/** A command on as many lines as it needs, which a shell reads as one; what follows `#` stands above. */
function example(line: string, columns: number): string {
  const indent = "  ";
  if (indent.length + line.length <= columns) return indent + line;
  const [command = "", comment] = line.split(/ {2,}(?=#)/u);
  const lines: string[] = comment === undefined ? [] : [indent + comment];
  let current = indent;
  for (const word of command.split(" ")) {
    const isFirst = current.trim() === "";
    if (!isFirst && current.length + 1 + word.length + 2 > columns) {
      lines.push(`${current} \\`);
      current = `${indent}${indent}${word}`;
    } else current += isFirst ? word : ` ${word}`;
  }
  return [...lines, current].join("\n");
}

/** The examples of a command. */
export function examples(lines: readonly string[], columns: number): string {
  return ["Examples:", ...lines.map((line) => example(line, columns))].join("\n");
}

/** The options by what they are about. */
export function optionSections(columns: number): string[] {
  return optionGroups.map((title) => {
    const names = Object.keys(optionTexts).filter((name) => optionTexts[name]?.group === title);
    const rows = names.flatMap((name) => flagRows.filter((row) => row.name === name));
    return section(
      title,
      rows.map((row) => optionLine(row, optionTexts[row.name])),
      columns,
    );
  });
}

function listed(commands: readonly GrammarCommand[], columns: number): string {
  const rows = commands.map(({ path, spec }) => [path, spec.summary] as const);
  return `Commands:\n${pairs(rows, columns, 2)}`;
}

/** What help says of a command itself: what stands above the options that every command takes. */
export function ownHelp(command: GrammarCommand, columns: number): readonly string[] {
  const { flags, spec, subcommands } = command;
  return [
    wrap(`Usage: ${usageOf(command)}`, columns, usageIndent),
    wrap(spec.description, columns),
    ...(subcommands.length > 0 ? [listed(subcommands, columns)] : []),
    ...(flags.length > 0 ? [section("Flags", flags.map(commandFlagLine), columns)] : []),
  ];
}

/** What every command that takes options says of them, but for the options themselves. */
export function optionsHelp(
  sections: readonly string[],
  configurationFile: string,
  columns: number,
): readonly string[] {
  const shared = commonFlags.filter(({ name }) => name !== "version");
  return [
    section("For every command", shared.map(commandFlagLine), columns),
    ...sections,
    wrap(sourceWords, columns),
    `Configuration file:\n  ${configurationFile}`,
  ];
}

/** Help for one command, by its path: `token`, `trust list`. */
export function commandHelp(
  path: string,
  configurationFile: string,
  columns: number,
  grammar: Grammar = theGrammar,
): string {
  const command = commandAt(grammar, path);
  if (command === undefined) throw new TypeError(`There is no command ${path}.`);
  return [
    ...ownHelp(command, columns),
    ...(command.settings === "none"
      ? []
      : optionsHelp(optionSections(columns), configurationFile, columns)),
    examples(command.spec.examples, columns),
  ].join("\n\n");
}

/** Help without a command. */
export function overviewHelp(configurationFile: string, columns: number): string {
  return [
    "Usage: latchkey COMMAND [FLAGS]",
    wrap(
      "Signs in with OpenID Connect and gives a bearer token that is always valid. Results go to standard output, " +
        "everything for people to standard error.",
      columns,
    ),
    listed(theGrammar.commands, columns),
    wrap("Flags of a command: latchkey COMMAND --help", columns),
    wrap(sourceWords, columns),
    `Configuration file:\n  ${configurationFile}`,
    `Exit status:\n${pairs(exitWords, columns, 2)}`,
    examples(overviewExamples, columns),
  ].join("\n\n");
}
