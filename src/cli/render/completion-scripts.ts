// The scripts by which shells ask `latchkey __complete`. Changes when a shell is added, or needs another script.

/** For bash from 3.2 (macOS) on: `source <(latchkey completion bash)`. */
const bash = String.raw`# bash completion for latchkey. In ~/.bashrc: source <(latchkey completion bash)
_latchkey() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
    # Without an answer of ours readline completes file names itself, with its own rules for spaces and ~.
    :files) compopt -o default 2>/dev/null ;;
    :program\ *)
      if [ "$COMP_CWORD" = "${"$"}{line#:program }" ]; then
        while IFS= read -r line; do
          COMPREPLY+=("$line")
        done < <(compgen -c -- "${"$"}{COMP_WORDS[COMP_CWORD]}")
      else
        compopt -o default 2>/dev/null
      fi
      return ;;
    *) COMPREPLY+=("$line") ;;
    esac
  done < <(printf '%s\0' "${"$"}{COMP_WORDS[@]:0:COMP_CWORD+1}" | command latchkey __complete bash 2>/dev/null)
}
complete -F _latchkey latchkey
`;

/** For zsh: `source <(latchkey completion zsh)`; also fit as a file `_latchkey` in `fpath`. */
const zsh = String.raw`#compdef latchkey
# zsh completion for latchkey. In ~/.zshrc, after compinit: source <(latchkey completion zsh)
_latchkey() {
  local line tab=$'\t'
  local -a described
  while IFS= read -r line; do
    case "$line" in
      :files)
        [[ "$PREFIX" != --*=* ]] || compset -P '*='
        _files
        return ;;
      :program\ *)
        shift "${"$"}{line#:program }" words
        ((CURRENT -= ${"$"}{line#:program }))
        _normal
        return ;;
      *) described+=("${"$"}{line/$tab/:}") ;;
    esac
  done < <(printf '%s\0' "${"$"}{(@)words[1,CURRENT]}" | command latchkey __complete zsh 2>/dev/null)
  [[ "$PREFIX" != --*=* ]] || compset -P '*='
  _describe -t latchkey latchkey described
}
# Read as a file of fpath, this is the function's own body; sourced, it has to be announced.
if [ "${"$"}{funcstack[1]}" = "_latchkey" ]; then
  _latchkey "$@"
else
  compdef _latchkey latchkey
fi
`;

/** For fish from 3 on: `latchkey completion fish | source`. */
const fish = String.raw`# fish completion for latchkey. In config.fish: latchkey completion fish | source
function __latchkey_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (printf '%s\0' $typed "$current" | command latchkey __complete fish 2>/dev/null)
    switch "$answer[1]"
        case :files
            set -l flag (string match -r '^--[^=]*=' -- "$current")
            for name in (complete -C "'' "(string replace -r '^--[^=]*=' '' -- "$current"))
                echo "$flag$name"
            end
        case ':program *'
            set -l before (string replace ':program ' '' -- $answer[1])
            set -e typed[1..$before]
            complete -C (string join ' ' -- (string escape -- $typed) "$current")
        case '*'
            string join \n -- $answer
    end
end
complete -c latchkey -f -a '(__latchkey_complete)'
`;

/** By the name of the shell. */
export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish };
