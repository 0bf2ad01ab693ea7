// The completion script for zsh. Changes when zsh needs another script.

import {
  flagsWithValue,
  listProfiles,
  type CompletedFlag,
  type CompletedValue,
  type CompletionModel,
} from "../completion.ts";

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function actionOf(value: CompletedValue): string {
  switch (value.kind) {
    case "words":
      return `:value:(${value.words.join(" ")})`;
    case "file":
      return ":file:_files";
    case "profile":
      return ":profile:_latchkey_profiles";
    case "other":
      return ":value: ";
    default:
      return value satisfies never;
  }
}

/** A flag as `_arguments` describes it. */
function specification({ flag, summary, value }: CompletedFlag): string {
  const description = summary.replaceAll(/[[\]\\]/g, String.raw`\$&`);
  return quoted(
    value === undefined ? `${flag}[${description}]` : `${flag}=[${description}]${actionOf(value)}`,
  );
}

function list(name: string, items: readonly string[]): string[] {
  return [`  ${name}=(`, ...items.map((item) => `    ${item}`), "  )"];
}

/** The script that `source <(latchkey completion zsh)` reads; also fit as a file `_latchkey` in `fpath`. */
export function zshCompletion(model: CompletionModel): string {
  const { variable, belowHome } = model.configurationFile;
  const [folder = "", ...below] = belowHome.split("/");
  const file =
    variable === undefined
      ? `"$HOME/${belowHome}"`
      : `"\${${variable}:-$HOME/${folder}}/${below.join("/")}"`;
  const valued = flagsWithValue(model)
    .map(({ flag }) => flag)
    .join("|");
  return [
    "#compdef latchkey",
    "# zsh completion for latchkey. In ~/.zshrc, after compinit: source <(latchkey completion zsh)",
    "_latchkey_profiles() {",
    "  local -a names",
    `  names=(\${(f)"$(${listProfiles(file)})"})`,
    '  compadd "$@" -a names',
    "}",
    "_latchkey() {",
    // Not `commands` and `options`: those are zsh's own, which its completion functions read.
    "  local -a command_names shells shared_flags flags",
    '  local command="" index',
    ...list(
      "command_names",
      model.commands.map(({ name, summary }) => quoted(`${name}:${summary}`)),
    ),
    `  shells=(${["bash", "zsh", "fish"].join(" ")})`,
    "  for ((index = 2; index < CURRENT; index += 1)); do",
    '    case "${words[index]}" in',
    `      ${valued}) ((index += 1)) ;;`,
    "      --)",
    '        [ "$command" = exec ] || return 1',
    '        words=("${(@)words[index+1,-1]}")',
    "        ((CURRENT -= index))",
    "        _normal",
    "        return ;;",
    "      -*) ;;",
    '      *) [ -n "$command" ] || command="${words[index]}" ;;',
    "    esac",
    "  done",
    ...list("shared_flags", model.options.map(specification)),
    '  case "$command" in',
    ...model.commands.map(
      ({ name, flags, usesOptions }) =>
        `    ${name}) flags=(${flags.map(specification).join(" ")}${usesOptions ? ' "${shared_flags[@]}"' : ""}) ;;`,
    ),
    `    "") flags=(${quoted("--help[show this]")} ${quoted("--version[print the version]")} "\${shared_flags[@]}") ;;`,
    "    *) return 1 ;;",
    "  esac",
    '  case "$command" in',
    `    help) _arguments : "\${flags[@]}" ${quoted("1:command: ")} ${quoted("2:command:{_describe command command_names}")} ;;`,
    `    completion) _arguments : "\${flags[@]}" ${quoted("1:command: ")} ${quoted("2:shell:{_describe shell shells}")} ;;`,
    `    "") _arguments : "\${flags[@]}" ${quoted("1:command:{_describe command command_names}")} ;;`,
    `    *) _arguments : "\${flags[@]}" ${quoted("1:command: ")} ;;`,
    "  esac",
    "}",
    "# Read as a file of fpath, this is the function's own body; sourced, it has to be announced.",
    'if [ "${funcstack[1]}" = "_latchkey" ]; then',
    '  _latchkey "$@"',
    "else",
    "  compdef _latchkey latchkey",
    "fi",
    "",
  ].join("\n");
}
