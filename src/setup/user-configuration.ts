// Reads a configuration file of a tool, where it really is, for changing it.

import { readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { maxUserFileBytes } from "../core/limits.ts";
import { readUserFileSync } from "../files/secure-read.ts";

/** A file as it is. */
export interface ConfigurationText {
  /** Behind the links that lead to it. */
  readonly path: string;
  /** Undefined where there is none. */
  readonly text: string | undefined;
}

const maxLinks = 40;

/** Where links lead to, also where nothing is there yet. */
function behindLinks(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < maxLinks; links += 1) {
    let target: string;
    try {
      target = readlinkSync(at);
    } catch {
      return at;
    }
    at = resolve(dirname(at), target);
  }
  return at;
}

/**
 * The text of a configuration file.
 * @throws {OidcError} `invalid_option`: too long, or a file, a link or a folder that others may write.
 */
export function readConfiguration(path: string, tool: string): ConfigurationText {
  const what = `configuration file of ${tool}`;
  const bytes = readUserFileSync(path, {
    what,
    maxBytes: maxUserFileBytes,
    code: "invalid_option",
  });
  return { path: behindLinks(path), text: bytes?.toString("utf8") };
}
