// What was set up, so that exactly that can be taken back: a file of Latchkey's own, with the lines that it has written.

import { join } from "node:path";
import { OidcError } from "../core/errors.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { readPrivateFileSync } from "../files/secure-read.ts";
import { stateFolder, type Machine } from "../options/paths.ts";
import type { Insertion, LinkChange } from "./tool-setup.ts";

/** One file of a setup. */
export interface JournalFile {
  readonly path: string;
  /** It was not there before. */
  readonly isNew: boolean;
  readonly insertions: readonly Insertion[];
}

/** One setup. */
export interface JournalEntry {
  readonly tool: string;
  readonly target: string;
  /** The server that the tool names; empty where it names none. */
  readonly place: string;
  /** What its lines and links are called where other setups of the tool need them too; empty where none do. */
  readonly sharedAs: string;
  readonly files: readonly JournalFile[];
  readonly links: readonly LinkChange[];
  /** The row of the server in the configuration file, where this setup wrote it. */
  readonly row: JournalFile | undefined;
}

const maxBytes = 4 * 1024 * 1024;
const version = 1;

function journalFile(machine: Machine): string {
  return join(stateFolder(machine), "setup.json");
}

function textOf(machine: Machine): string | undefined {
  return readPrivateFileSync(journalFile(machine), maxBytes)?.toString("utf8");
}

function entriesIn(text: string | undefined, machine: Machine): readonly JournalEntry[] {
  if (text === undefined) return [];
  try {
    const read = JSON.parse(text) as { version?: unknown; entries?: unknown };
    if (read.version === version && Array.isArray(read.entries)) {
      return read.entries as readonly JournalEntry[];
    }
  } catch {
    // Said below.
  }
  throw new OidcError("invalid_option", `${journalFile(machine)} is damaged.`, {
    remedy: "Remove it. What was set up before is then to be taken out by hand.",
  });
}

/** Every setup that has not been taken back. @throws {OidcError} `invalid_option`, `cache_insecure`. */
export function readJournal(machine: Machine): readonly JournalEntry[] {
  return entriesIn(textOf(machine), machine);
}

const maxTries = 5;

/** Changes the list as it is now. @throws {OidcError} also `cache_write_failed`. */
export async function changeJournal(
  machine: Machine,
  change: (entries: readonly JournalEntry[]) => readonly JournalEntry[],
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const before = textOf(machine);
    const entries = change(entriesIn(before, machine));
    const text = `${JSON.stringify({ version, entries }, undefined, 1)}\n`;
    const onlyIf = (): boolean => textOf(machine) === before;
    if (await writeFileAtomically(journalFile(machine), text, { onlyIf })) return;
    if (tries === maxTries) {
      throw new OidcError("cache_write_failed", `${journalFile(machine)} keeps changing.`, {
        reason: "failed",
        remedy: "Try again.",
      });
    }
  }
}
