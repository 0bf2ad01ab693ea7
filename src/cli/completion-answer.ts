// The answer to a shell that asks what to offer. Changes when a shell needs another form of it.

import { shownServer } from "../core/server-words.ts";
import { parsePinFile } from "../trust/pin-file.ts";
import { complete, type KnownNames } from "./completion.ts";
import { grammar } from "./command-grammar.ts";

/** Names alone: what a shell could take for more than a name is not offered. */
export function profileNames(text: string): string[] {
  const line =
    /^[ \t]*\[profile\.(?:(["'])([A-Za-z0-9][\w.-]{0,63})\1|([A-Za-z0-9][\w-]{0,63}))\][ \t]*(?:#.*)?$/gm;
  return [...text.matchAll(line)].map(([, , quoted, bare]) => quoted ?? bare ?? "");
}

/** The servers of the file of pins, as people name them: what a shell could take for more than an address is left out. */
export function serverNames(text: string): string[] {
  const file = parsePinFile(text);
  return file.state === "pins"
    ? file.pins.map(({ server }) => shownServer(server)).filter((name) => /^[\w.:/~-]+$/.test(name))
    : [];
}

/** readline splits at `=` and `:` too: puts those words together again. */
export function joinedWords(words: readonly string[]): string[] {
  const joined: string[] = [];
  let isOpen = false;
  for (const word of words) {
    const isBreak = /^[=:]+$/.test(word);
    if ((isBreak || isOpen) && joined.length > 0) joined.push(`${joined.pop() ?? ""}${word}`);
    else joined.push(word);
    isOpen = isBreak;
  }
  return joined;
}

/** The answer to a shell: candidates, or a word that begins with a colon for what the shell does itself. */
export function answerTo(shell: string, typed: readonly string[], known: KnownNames): string {
  const words = shell === "bash" ? joinedWords(typed.slice(1)) : typed.slice(1);
  const completion = complete(words, grammar, known);
  if (completion.kind === "files") return ":files\n";
  if (completion.kind === "program") {
    // In the words of the shell, in which the program's own name is the first.
    return `:program ${String(typed.indexOf("--") + 1)}\n`;
  }
  const current = words.at(-1) ?? "";
  const sign = current.startsWith("--") ? current.indexOf("=") + 1 : 0;
  // readline puts what is offered in the place of what stands behind the last colon.
  const replaced = shell === "bash" ? current.slice(sign).lastIndexOf(":") + 1 : 0;
  // fish completes the whole word; the others what stands behind the sign. zsh has rules of its own for what fits.
  const prefix = shell === "fish" ? current.slice(0, sign) : "";
  return completion.candidates
    .filter(({ text }) => shell === "zsh" || text.startsWith(current.slice(sign)))
    .map(({ text, summary }) =>
      shell === "bash" || summary === ""
        ? `${prefix}${text.slice(replaced)}\n`
        : `${prefix}${text}\t${summary}\n`,
    )
    .join("");
}
