// git: a credential helper for one host, in the user's own configuration.

import { appended } from "./lines.ts";
import { gitConfigFile } from "./places.ts";
import { outputOfTool } from "./read-by-tool.ts";
import { serverNamed } from "./server.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** As git finds it: by its name on PATH, else by its path, which a shell reads. */
function helperWords(program: ReturnType<SetupInput["program"]>): string {
  if (program.isOnPath) return "latchkey";
  return /^[\w./:-]+$/.test(program.path)
    ? program.path
    : `'${program.path.replaceAll("'", String.raw`'\''`)}'`;
}

function settingsOf(path: string, { machine }: SetupInput): string | undefined {
  return outputOfTool("git", ["config", "--file", path, "--list", "--null"], machine);
}

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { place, host, scheme } = serverNamed(input, "git");
  const address = `${scheme}://${host}`;
  const { path, text: textBefore } = readConfiguration(gitConfigFile(input.machine), "git");
  const before = textBefore === undefined ? "" : settingsOf(path, input);
  if (before === undefined) {
    throw refuseSetup(`git cannot read ${path}.`, "See what it says: git config --global --list");
  }
  const key = `credential.${address}.helper`;
  const helper = helperWords(input.program("git-credential-latchkey"));
  const own = { target: host, place, links: [], notes: [] };
  if (before.split("\0").includes(`${key}\n${helper}`)) return { ...own, files: [] };
  // The empty one takes back what stands before it, so that no other helper answers with an old token.
  const lines = [
    `[credential ${JSON.stringify(address)}]`,
    "\thelper =",
    `\thelper = ${quoted(helper)}`,
  ];
  const { text: next, insertion } = appended(textBefore ?? "", lines);
  const wanted = `${before}${key}\n\0${key}\n${helper}\0`;
  const shown = lines.join("\n");
  const isRead = (written: string): boolean => settingsOf(written, input) === wanted;
  return {
    ...own,
    files: [{ path, textBefore, text: next, shown, insertions: [insertion], isRead }],
  };
}
