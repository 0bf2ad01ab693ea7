// What a tool itself reads in a file: the judge of whether a change is one that it understands.

import { execFileSync } from "node:child_process";
import type { Machine } from "../options/paths.ts";
import { findProgram } from "./programs.ts";
import { refuseSetup } from "./tool-setup.ts";

const maxMilliseconds = 10_000;
const maxCharacters = 4 * 1024 * 1024;

/** Runs the tool. Undefined where it ends with a failure. @throws {OidcError} `invalid_option`: it is not on PATH. */
export function outputOfTool(
  name: string,
  words: readonly string[],
  machine: Machine,
  more: Readonly<Record<string, string>> = {},
): string | undefined {
  const program = findProgram(name, machine);
  if (program === undefined) {
    throw refuseSetup(
      `${name} is not on PATH.`,
      "Put its folder into PATH: it reads what is written.",
    );
  }
  try {
    return execFileSync(program, [...words], {
      encoding: "utf8",
      env: { ...machine.environment, ...more },
      timeout: maxMilliseconds,
      maxBuffer: maxCharacters,
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    });
  } catch {
    return undefined;
  }
}
