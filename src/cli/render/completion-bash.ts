// The completion script for bash, from 3.2 (macOS) on. Changes when bash needs another script.

import { flagsWithValue, listProfiles, type CompletionModel } from "../completion.ts";

function flagNames(flags: CompletionModel["options"]): string {
  return flags.map(({ flag }) => flag).join(" ");
}

function valueCases(model: CompletionModel): string[] {
  const valued = flagsWithValue(model);
  const pattern = (kind: string): string =>
    valued
      .filter(({ value }) => value?.kind === kind)
      .map(({ flag }) => flag)
      .join("|");
  const words = valued.flatMap(({ flag, value }) =>
    value?.kind === "words"
      ? [`    ${flag}) _latchkey_offer "${value.words.join(" ")}" "$current"; return ;;`]
      : [],
  );
  return [
    ...words,
    `    ${pattern("profile")}) _latchkey_offer "$(_latchkey_profiles)" "$current"; return ;;`,
    // Without an answer of ours readline completes file names itself, with its own rules for spaces and ~.
    `    ${pattern("file")}) compopt -o default 2>/dev/null; return ;;`,
    `    ${pattern("other")}) return ;;`,
  ];
}

/** The script that `source <(latchkey completion bash)` reads. */
export function bashCompletion(model: CompletionModel): string {
  const { variable, belowHome } = model.configurationFile;
  const file =
    variable === undefined
      ? `"$HOME/${belowHome}"`
      : `"\${${variable}:-$HOME/${belowHome.split("/", 1)[0] ?? ""}}/${belowHome.split("/").slice(1).join("/")}"`;
  const valued = flagsWithValue(model)
    .map(({ flag }) => flag)
    .join("|");
  const names = model.commands.map(({ name }) => name).join(" ");
  return [
    "# bash completion for latchkey. In ~/.bashrc: source <(latchkey completion bash)",
    "_latchkey_profiles() {",
    `  ${listProfiles(file)}`,
    "}",
    "_latchkey_offer() {",
    '  COMPREPLY=($(compgen -W "$1" -- "$2"))',
    "}",
    "_latchkey() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="" command="" index word',
    "  COMPREPLY=()",
    '  [ "$COMP_CWORD" -gt 0 ] && previous="${COMP_WORDS[COMP_CWORD-1]}"',
    "  # bash splits --flag=value into three words.",
    '  if [ "$current" = "=" ]; then',
    '    current=""',
    '  elif [ "$previous" = "=" ] && [ "$COMP_CWORD" -gt 1 ]; then',
    '    previous="${COMP_WORDS[COMP_CWORD-2]}"',
    "  fi",
    "  for ((index = 1; index < COMP_CWORD; index += 1)); do",
    '    word="${COMP_WORDS[index]}"',
    '    case "$word" in',
    "    --)",
    '      [ "$command" = exec ] || return',
    "      if ((index + 1 == COMP_CWORD)); then",
    '        COMPREPLY=($(compgen -c -- "$current"))',
    "      else",
    "        compopt -o default 2>/dev/null",
    "      fi",
    "      return ;;",
    `    ${valued})`,
    '      [ "${COMP_WORDS[index+1]}" = "=" ] && index=$((index + 1))',
    "      index=$((index + 1)) ;;",
    "    -*|=) ;;",
    '    *) [ -n "$command" ] || command="$word" ;;',
    "    esac",
    "  done",
    '  case "$previous" in',
    ...valueCases(model),
    "  esac",
    '  case "$current" in',
    "  -*) ;;",
    "  *)",
    '    case "$command" in',
    `    ""|help) _latchkey_offer "${names}" "$current" ;;`,
    `    completion) _latchkey_offer "${["bash", "zsh", "fish"].join(" ")}" "$current" ;;`,
    "    esac",
    '    [ -n "${COMPREPLY+x}" ] && [ "${#COMPREPLY[@]}" -gt 0 ] && return',
    "    ;;",
    "  esac",
    `  local options="${flagNames(model.options)}"`,
    '  case "$command" in',
    ...model.commands.map(
      ({ name, flags, usesOptions }) =>
        `  ${name}) _latchkey_offer "${flagNames(flags)}${usesOptions ? " $options" : ""}" "$current" ;;`,
    ),
    '  "") _latchkey_offer "--help --version $options" "$current" ;;',
    "  esac",
    "}",
    "complete -F _latchkey latchkey",
    "",
  ].join("\n");
}
