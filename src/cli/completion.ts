// What there is to complete on the command line, for every shell alike. Changes when another kind of value can be
// completed.

import { flagOf, optionTable, type OptionRow } from "../options/table.ts";
import { optionTexts } from "../options/text.ts";
import { commonFlags } from "./flags.ts";
import { grammar, type GrammarCommand } from "./grammar.ts";
import type { FlagSpec } from "./spec.ts";

/** What the value of a flag is completed with; "other" has nothing to offer. */
export type CompletedValue =
  | { readonly kind: "file" | "profile" | "other" }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** A flag as it may be typed. */
export interface CompletedFlag {
  /** With its dashes. */
  readonly flag: string;
  /** One line, without control characters. */
  readonly summary: string;
  /** Absent for a switch. */
  readonly value?: CompletedValue;
}

/** A command with its flags. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  /** Those that are its own. */
  readonly flags: readonly CompletedFlag[];
  /** Whether the flags of {@link CompletionModel.options} are offered too. */
  readonly usesOptions: boolean;
}

/** Everything that a shell needs to know. */
export interface CompletionModel {
  readonly commands: readonly CompletedCommand[];
  /** The flags of options, and `--profile` and `--client-secret-file`, which go with them. */
  readonly options: readonly CompletedFlag[];
  /** The configuration file, in words that every one of the shells expands. */
  readonly configurationFile: { readonly variable?: string; readonly belowHome: string };
}

// The accepted values of these kinds; a test holds them against the validation.
const wordsOfKind: Readonly<Partial<Record<OptionRow["kind"], readonly string[]>>> = {
  flow: ["auto", "auth_code", "device"],
  responseMode: ["query", "form_post"],
  prompt: ["none", "login", "consent", "select_account", "create"],
};

function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

function valueOfOption(row: OptionRow): CompletedValue {
  const words = wordsOfKind[row.kind];
  if (words !== undefined) return { kind: "words", words };
  return { kind: row.kind === "path" ? "file" : "other" };
}

function optionFlags(row: OptionRow): CompletedFlag[] {
  const summary = plain(optionTexts[row.name]?.summary ?? "");
  const name = flagOf(row);
  if (row.kind !== "boolean") return [{ flag: `--${name}`, summary, value: valueOfOption(row) }];
  return [
    { flag: `--${name}`, summary },
    { flag: `--no-${name}`, summary: `not: ${summary}` },
  ];
}

function commandFlag({ name, kind, values, summary: text }: FlagSpec): CompletedFlag[] {
  const summary = plain(text);
  const flag = { flag: `--${name}`, summary };
  if (kind === "switch") return [flag];
  if (kind === "negatable") return [flag, { flag: `--no-${name}`, summary: `not: ${summary}` }];
  if (values !== undefined) return [{ ...flag, value: { kind: "words", words: values } }];
  const isKnown = kind === "profile" || kind === "file";
  return [{ ...flag, value: { kind: isKnown ? kind : "other" } }];
}

function completedCommand({ path, spec, flags, settings }: GrammarCommand): CompletedCommand {
  const shared = commonFlags.filter(({ name, choosesSignIn }) =>
    settings === "none" ? name === "help" : choosesSignIn !== true && name !== "version",
  );
  return {
    name: path,
    summary: spec.summary,
    flags: [...flags, ...shared].flatMap(commandFlag),
    usesOptions: settings !== "none",
  };
}

/** All that can be completed, from the option table and the list of commands and flags. */
export function completionModel(platform: NodeJS.Platform): CompletionModel {
  return {
    commands: grammar.commands.map(completedCommand),
    options: [
      ...commonFlags.filter(({ choosesSignIn }) => choosesSignIn === true).flatMap(commandFlag),
      ...optionTable.filter(({ text }) => text === "all" || text === "flag").flatMap(optionFlags),
    ],
    configurationFile:
      platform === "darwin"
        ? { belowHome: "Library/Application Support/latchkey/config.toml" }
        : { variable: "XDG_CONFIG_HOME", belowHome: ".config/latchkey/config.toml" },
  };
}

// Names alone, without what a shell would take for more than a name; `[profile."a.b"]` is the same table quoted.
const profileLine = String.raw`s/^[[:space:]]*\[profile\."\{0,1\}\([A-Za-z0-9][A-Za-z0-9._-]*\)"\{0,1\}\][[:space:]]*\(#.*\)\{0,1\}$/\1/p`;

/** The command that lists the profiles, for a shell in which `file` is the configuration file's path. */
export function listProfiles(file: string): string {
  return `sed -n '${profileLine}' ${file} 2>/dev/null`;
}

/** The flags that are followed by a value, all of them. */
export function flagsWithValue(model: CompletionModel): readonly CompletedFlag[] {
  const all = [...model.options, ...model.commands.flatMap(({ flags }) => flags)];
  const valued = all.filter(({ value }) => value !== undefined);
  return valued.filter(
    ({ flag }, index) => valued.findIndex((other) => other.flag === flag) === index,
  );
}
