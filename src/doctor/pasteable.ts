// Makes a report fit for a public place: without the home folder and the name of its owner.

import type { Machine } from "../options/paths.ts";

const minNameCharacters = 2;

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/**
 * The text with `~` for the home folder, and `USER` for the user's name where it is part of a path or an address. No
 * check puts a token, a secret or the name of a person into a finding; this is about what paths give away.
 */
export function pasteable(
  text: string,
  { homeDirectory, environment }: Pick<Machine, "homeDirectory" | "environment">,
): string {
  let result = text;
  if (homeDirectory !== undefined && homeDirectory.length > 1) {
    const home = homeDirectory.replace(/[/\\]+$/, "");
    result = result.replaceAll(new RegExp(`${escaped(home)}(?![\\w.-])`, "g"), "~");
  }
  const names = ["USER", "LOGNAME", "USERNAME", "SUDO_USER"].map((name) => environment[name] ?? "");
  for (const name of new Set(names)) {
    if (name.length < minNameCharacters) continue;
    const inPath = String.raw`(?<=[/\\])${escaped(name)}(?![\w.-])`;
    const beforeHost = String.raw`(?<![\w.-])${escaped(name)}(?=@)`;
    result = result.replaceAll(new RegExp(`${inPath}|${beforeHost}`, "g"), "USER");
  }
  return result;
}
