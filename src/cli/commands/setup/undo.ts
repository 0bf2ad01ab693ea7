// `latchkey setup TOOL --undo`: takes out what was written for a tool, and nothing else.

import {
  changeJournal,
  readJournal,
  type JournalEntry,
  type JournalFile,
} from "../../../setup/journal.ts";
import { refuseSetup } from "../../../setup/tool-setup.ts";
import { planWithout, removeLink, writeWithout, type FileWithout } from "../../../setup/write.ts";
import type { CommandContext } from "../../context.ts";
import { changedText, insertionText, removalsText } from "../../render/tool-setup.ts";
import { writeConfiguration } from "../../save-profile.ts";
import { mayGoOn } from "./agreement.ts";

function withoutScheme(target: string): string {
  return target.replace(/^[a-z]+:\/\//i, "").replace(/\/$/, "");
}

/** One file with what is to be taken out of it. */
interface Part {
  readonly file: JournalFile;
  readonly without: FileWithout;
}

function shownOf({ file: { path, insertions }, without }: Part): { path: string; lines: string } {
  const ours = insertions.filter((each) => !without.changed.includes(each));
  return { path, lines: ours.map(insertionText).join("\n") };
}

/** Whose setup needs the same lines and links. */
function sharerOf(entry: JournalEntry, others: readonly JournalEntry[]): JournalEntry | undefined {
  const { tool, sharedAs } = entry;
  if (sharedAs === "") return undefined;
  return others.find((each) => each.tool === tool && each.sharedAs === sharedAs);
}

/** The lines of a setup, which others may need, or what is its own alone. */
function filesWith(entry: JournalEntry, what: "lines" | "own"): readonly JournalFile[] {
  return entry.files.map((file) => ({
    ...file,
    insertions: file.insertions.filter(({ kind }) => (kind === "lines") === (what === "lines")),
  }));
}

/** Both; of one file the insertions that came first, first. */
function joined(
  earlier: readonly JournalFile[],
  later: readonly JournalFile[],
): readonly JournalFile[] {
  const paths = [...new Set([...earlier, ...later].map(({ path }) => path))];
  return paths.map((path) => {
    const same = [...earlier, ...later].filter((file) => file.path === path);
    return {
      path,
      isNew: same.some(({ isNew }) => isNew),
      insertions: same.flatMap(({ insertions }) => insertions),
    };
  });
}

function isEntry(one: JournalEntry, other: JournalEntry | undefined): boolean {
  return one.tool === other?.tool && one.target === other.target;
}

/** Whose setup needs the row of this server when this one is gone. */
function heirOf(entry: JournalEntry, others: readonly JournalEntry[]): JournalEntry | undefined {
  if (entry.row === undefined) return undefined;
  return others.find(({ place, row }) => place === entry.place && row === undefined);
}

async function undo(entry: JournalEntry, context: CommandContext): Promise<boolean> {
  const { tool } = entry;
  const { machine } = context;
  const isOther = (each: JournalEntry): boolean => !isEntry(each, entry);
  const others = readJournal(machine).filter(isOther);
  const heir = heirOf(entry, others);
  const sharer = sharerOf(entry, others);
  const files = sharer === undefined ? entry.files : filesWith(entry, "own");
  const links = sharer === undefined ? entry.links : [];
  const parts = files.map((file): Part => ({ file, without: planWithout(file, tool) }));
  const row =
    entry.row === undefined || heir !== undefined
      ? undefined
      : { file: entry.row, without: planWithout(entry.row, tool) };
  const all = row === undefined ? parts : [...parts, row];
  const shown = all.map(shownOf).filter(({ lines }) => lines !== "");
  context.tellAsIs(removalsText(shown, links));
  await mayGoOn("Take this out? [y/N] ", context);
  for (const { without } of parts) writeWithout(without, tool);
  for (const link of links) removeLink(link);
  if (row !== undefined && row.without.textBefore !== row.without.text) {
    const { path, textBefore, text = "" } = row.without;
    if (!(await writeConfiguration({ path, textBefore, text }))) {
      throw refuseSetup(`${path} was changed at the same time.`, "Run this again.");
    }
  }
  const left = all.filter(({ without }) => without.changed.length > 0);
  const rest = (part: Part): JournalFile => ({ ...part.file, insertions: part.without.changed });
  const kept: JournalEntry = {
    ...entry,
    links: [],
    files: left.filter((part) => part !== row).map(rest),
    row: row !== undefined && left.includes(row) ? rest(row) : undefined,
  };
  await changeJournal(machine, (entries) => [
    ...entries
      .filter(isOther)
      .map((each) => (isEntry(each, heir) ? { ...each, row: entry.row } : each))
      .map((each) =>
        isEntry(each, sharer)
          ? {
              ...each,
              files: joined(filesWith(entry, "lines"), each.files),
              links: [...entry.links, ...each.links],
            }
          : each,
      ),
    ...(left.length === 0 ? [] : [kept]),
  ]);
  for (const { file } of left) context.tell(changedText(file.path));
  return left.length === 0;
}

/** Takes a setup back; all of the tool where no target is named. */
export async function undoSetup(
  tool: string,
  target: string | undefined,
  context: CommandContext,
): Promise<number> {
  // The last one first: it may stand on what an earlier one has written.
  const wanted = readJournal(context.machine)
    .toReversed()
    .filter(
      (entry) =>
        entry.tool === tool &&
        (target === undefined || withoutScheme(entry.target) === withoutScheme(target)),
    );
  if (wanted.length === 0) {
    throw refuseSetup(
      target === undefined
        ? `latchkey setup has written nothing for ${tool}.`
        : `latchkey setup has written nothing for this in ${tool}.`,
    );
  }
  let isDone = true;
  for (const entry of wanted) isDone = (await undo(entry, context)) && isDone;
  if (isDone) context.tell("Taken out.");
  return isDone ? 0 : 1;
}
