// The completion script for fish, from 3 on. Changes when fish needs another script.

import {
  flagsWithValue,
  listProfiles,
  type CompletedFlag,
  type CompletedValue,
  type CompletionModel,
} from "../completion.ts";

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}

function actionOf(value: CompletedValue | undefined): string {
  switch (value?.kind) {
    case undefined:
      return "";
    case "words":
      return ` -x -a ${quoted(value.words.join(" "))}`;
    case "file":
      return " -r -F";
    case "profile":
      return " -x -a '(__latchkey_profiles)'";
    case "other":
      return " -x";
    default:
      return value satisfies never;
  }
}

function line(condition: string, { flag, summary, value }: CompletedFlag): string {
  return `complete -c latchkey -n ${quoted(condition)} -l ${flag.slice(2)}${actionOf(value)} -d ${quoted(summary)}`;
}

/** The script that `latchkey completion fish | source` reads. */
export function fishCompletion(model: CompletionModel): string {
  const { variable, belowHome } = model.configurationFile;
  const [folder = "", ...below] = belowHome.split("/");
  const place =
    variable === undefined
      ? [`    set -l folder "$HOME/${folder}"`]
      : [
          `    set -l folder "$HOME/${folder}"`,
          `    test -n "$${variable}"; and set folder "$${variable}"`,
        ];
  const valued = flagsWithValue(model)
    .map(({ flag }) => flag)
    .join(" ");
  const withOptions = model.commands
    .filter(({ usesOptions }) => usesOptions)
    .map(({ name }) => name)
    .join(" ");
  return [
    "# fish completion for latchkey. In config.fish: latchkey completion fish | source",
    "function __latchkey_profiles",
    ...place,
    `    ${listProfiles(`"$folder/${below.join("/")}"`)}`,
    "end",
    "# The command that stands on the line already; nothing where there is none.",
    "function __latchkey_command",
    "    set -l typed (commandline -opc)",
    "    set -e typed[1]",
    "    set -l isValue 0",
    "    for word in $typed",
    "        if test $isValue = 1",
    "            set isValue 0",
    "            continue",
    "        end",
    "        switch $word",
    "            case --",
    "                return 1",
    `            case ${valued}`,
    "                set isValue 1",
    "            case '-*'",
    "            case '*'",
    "                echo $word",
    "                return 0",
    "        end",
    "    end",
    "    return 1",
    "end",
    "function __latchkey_runs_program",
    "    contains -- -- (commandline -opc)",
    "end",
    "function __latchkey_no_command",
    "    not __latchkey_runs_program; and not __latchkey_command >/dev/null",
    "end",
    "function __latchkey_is",
    "    not __latchkey_runs_program; and contains -- (__latchkey_command) $argv",
    "end",
    "function __latchkey_program",
    "    set -l typed (commandline -opc)",
    "    set -l at (contains -i -- -- $typed)",
    "    set -e typed[1..$at]",
    "    complete -C (string join ' ' -- (string escape -- $typed) (commandline -ct))",
    "end",
    "complete -c latchkey -f",
    "complete -c latchkey -n __latchkey_runs_program -F -a '(__latchkey_program)'",
    ...model.commands.map(
      ({ name, summary }) =>
        `complete -c latchkey -n __latchkey_no_command -a ${name} -d ${quoted(summary)}`,
    ),
    ...model.commands.map(
      ({ name, summary }) =>
        `complete -c latchkey -n '__latchkey_is help' -a ${name} -d ${quoted(summary)}`,
    ),
    `complete -c latchkey -n '__latchkey_is completion' -a ${quoted(["bash", "zsh", "fish"].join(" "))}`,
    "complete -c latchkey -n __latchkey_no_command -l version -d 'print the version'",
    "complete -c latchkey -n __latchkey_no_command -l help -s h -d 'show this'",
    ...model.options.flatMap((flag) => [
      line(`__latchkey_no_command; or __latchkey_is ${withOptions}`, flag),
    ]),
    ...model.commands.flatMap(({ name, flags }) =>
      flags.map((flag) => line(`__latchkey_is ${name}`, flag)),
    ),
    "",
  ].join("\n");
}
