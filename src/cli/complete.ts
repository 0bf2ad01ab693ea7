// `latchkey __complete SHELL`: what a shell asks at each press of the Tab key. It loads little, sends nothing and says
// nothing of what was typed. The words stand on standard input, each with a NUL behind it: an argument list could be
// read by every user of the machine, and somebody may have typed a secret.

import { readSync } from "node:fs";
import { configurationFile, stateFolder, thisMachine } from "../options/paths.ts";
import { answerTo, profileNames, serverNames } from "./completion-answer.ts";
import type { KnownNames } from "./completion.ts";
import { writeWhole } from "./output.ts";
import { pinFilePath } from "../trust/pin-file.ts";
import { readConfiguration, readOwnFile } from "./warm/files.ts";

const maxInputBytes = 1024 * 1024;

/** Standard input up to its end; undefined where there is more than anybody types. */
function readInput(): string | undefined {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= maxInputBytes;) {
    const chunk = Buffer.alloc(65_536);
    const count = readSync(0, chunk);
    if (count === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  return undefined;
}

/** Names that a file holds: none where there is no such file, or one that Latchkey does not read. */
function namesIn(read: () => string | undefined, namesOf: (text: string) => string[]): string[] {
  try {
    return namesOf(read() ?? "");
  } catch {
    return [];
  }
}

const machine = thisMachine();
const known: KnownNames = {
  profiles: () => namesIn(() => readConfiguration(configurationFile(machine)), profileNames),
  servers: () => namesIn(() => readOwnFile(pinFilePath(stateFolder(machine))), serverNames),
};

const [, , , shell = ""] = process.argv;
const input = readInput();
if (input !== undefined) {
  writeWhole(1, answerTo(shell, input.split("\0").slice(0, -1), known));
}
