// The layout of `--help`. Changes when its look does.

import { flagOf, optionTable, type OptionRow } from "../../options/table.ts";
import { optionTexts } from "../../options/text.ts";
import {
  commandFlags,
  commandNames,
  completionShells,
  usesOptions,
  type CommandFlag,
  type CommandName,
} from "../flags.ts";
import {
  commandWords,
  exitWords,
  flagWords,
  optionGroups,
  overviewExamples,
  sourceWords,
} from "./help-words.ts";
import { wrap } from "../../interaction/layout.ts";
import { pairs } from "./layout.ts";

/** One line of a list of flags. */
interface FlagLine {
  readonly flag: string;
  readonly summary: string;
}

const summaryColumn = 32;
const usageIndent = "Usage: ".length;
/** Below this width a summary stands under its flag, not beside it. */
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

function optionLine(row: OptionRow): FlagLine {
  const text = optionTexts[row.name];
  const name = row.kind === "boolean" ? `--[no-]${flagOf(row)}` : `--${flagOf(row)}`;
  return {
    flag: text?.placeholder === undefined ? name : `${name} ${text.placeholder}`,
    summary: `${text?.summary ?? ""}${defaultOf(row)}`,
  };
}

function commandFlagLine(flag: CommandFlag): FlagLine {
  const words = flagWords[flag.name];
  const short = flag.name === "help" ? "-h, " : "";
  const name = flag.kind === "negatable" ? `--[no-]${flag.name}` : `--${flag.name}`;
  return {
    flag: `${short}${name}${words?.placeholder === undefined ? "" : ` ${words.placeholder}`}`,
    summary: words?.summary ?? "",
  };
}

function section(title: string, lines: readonly FlagLine[], columns: number): string {
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

function examples(lines: readonly string[], columns: number): string {
  return ["Examples:", ...lines.map((line) => example(line, columns))].join("\n");
}

function optionSections(columns: number): string[] {
  return optionGroups.map(([title, names]) => {
    const rows = names.flatMap((name) => optionTable.filter((row) => row.name === name));
    return section(title, rows.map(optionLine), columns);
  });
}

/** Flags of one command: first its own, then those that every command takes. */
function flagsOf(command: CommandName, common: boolean): FlagLine[] {
  return commandFlags
    .filter((flag) => flag.commands.includes(command))
    .filter((flag) => (flag.commands.length === commandNames.length) === common)
    .filter((flag) => flag.name !== "version")
    .map(commandFlagLine);
}

/** Help for one command. */
export function commandHelp(
  command: CommandName,
  configurationFile: string,
  columns: number,
): string {
  const { description, examples: lines } = commandWords[command];
  const own = flagsOf(command, false);
  const takesOptions = usesOptions(command);
  const usages: Partial<Record<CommandName, string>> = {
    completion: `latchkey completion ${completionShells.join("|")}`,
    exec: "latchkey exec [FLAGS] -- PROGRAM [ARGUMENT …]",
    help: "latchkey help [COMMAND]",
    version: "latchkey version",
  };
  return [
    wrap(`Usage: ${usages[command] ?? `latchkey ${command} [FLAGS]`}`, columns, usageIndent),
    wrap(description, columns),
    ...(own.length > 0 ? [section("Flags", own, columns)] : []),
    ...(takesOptions
      ? [
          section("For every command", flagsOf(command, true), columns),
          ...optionSections(columns),
          wrap(sourceWords, columns),
          `Configuration file:\n  ${configurationFile}`,
        ]
      : []),
    examples(lines, columns),
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
    `Commands:\n${pairs(
      commandNames.map((name) => [name, commandWords[name].summary] as const),
      columns,
      2,
    )}`,
    wrap("Flags of a command: latchkey COMMAND --help", columns),
    wrap(sourceWords, columns),
    `Configuration file:\n  ${configurationFile}`,
    `Exit status:\n${pairs(exitWords, columns, 2)}`,
    examples(overviewExamples, columns),
  ].join("\n\n");
}
