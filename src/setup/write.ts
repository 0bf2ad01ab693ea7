// Writes what a plan says, and takes it out again: each file whole or not at all, with the mode that it had.

import { lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { replaceUserFile } from "../files/user-file.ts";
import type { JournalFile } from "./journal.ts";
import { takeBackAll } from "./take-back.ts";
import {
  byHand,
  refuseSetup,
  type FileChange,
  type Insertion,
  type LinkChange,
} from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

function modeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && stats.mode & 0o777;
}

function replace(
  { path, textBefore, text }: Pick<FileChange, "path" | "textBefore" | "text">,
  tool: string,
  isRead: (written: string) => boolean,
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const isWritten = replaceUserFile(path, text, {
    mode: modeOf(path),
    // Somebody may have saved the file since it was read.
    onlyIf: (written) => isRead(written) && readConfiguration(path, tool).text === textBefore,
  });
  if (isWritten) return;
  throw refuseSetup(
    `${path} was changed at the same time, and was left as it is.`,
    "Run this again.",
  );
}

/** Writes one file. @throws {OidcError} `invalid_option`: it was changed meanwhile, or its tool reads it otherwise. */
export function writeChange(change: FileChange, tool: string): void {
  replace(change, tool, (written) => {
    if (change.isRead?.(written) !== false) return true;
    throw refuseSetup(
      `${tool} would not read ${change.path} as it is meant with these lines in it. It was left as it is.`,
      byHand(change.shown),
    );
  });
}

/** Whether a link is there already. @throws {OidcError} `invalid_option`: something else is. */
export function isLinked({ path, target }: LinkChange): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (stats.isSymbolicLink() && readlinkSync(path) === target) return true;
  throw refuseSetup(
    `${path} is there already, and is not a link to Latchkey.`,
    "Move it away, and run this again.",
  );
}

/** Makes a link. */
export function writeLink({ path, target }: LinkChange): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  symlinkSync(target, path);
}

/** Removes a link where it still leads to where it did. */
export function removeLink({ path, target }: LinkChange): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() === true && readlinkSync(path) === target) unlinkSync(path);
}

/** What a file will be without its insertions. */
export interface FileWithout {
  readonly path: string;
  readonly textBefore: string | undefined;
  /** Undefined where nothing is left of a file that was not there before. */
  readonly text: string | undefined;
  readonly changed: readonly Insertion[];
}

/** Looks at one file of a setup as it is now; changes nothing. */
export function planWithout({ path, isNew, insertions }: JournalFile, tool: string): FileWithout {
  const textBefore = readConfiguration(path, tool).text;
  if (textBefore === undefined) return { path, textBefore, text: undefined, changed: [] };
  const { text, changed } = takeBackAll(textBefore, insertions);
  const isEmpty = isNew && /^\s*(?:\{\s*\}\s*)?$/.test(text);
  return { path, textBefore, text: isEmpty ? undefined : text, changed };
}

/** Writes it. @throws {OidcError} `invalid_option`: it was changed meanwhile. */
export function writeWithout({ path, textBefore, text }: FileWithout, tool: string): void {
  if (textBefore === text || textBefore === undefined) return;
  if (text === undefined) unlinkSync(path);
  else replace({ path, textBefore, text }, tool, () => true);
}
