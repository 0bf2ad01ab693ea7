// What `latchkey setup TOOL` shows: the lines before they are written, and those before they are taken out.

import type { JournalEntry } from "../../setup/journal.ts";
import type { Insertion, LinkChange } from "../../setup/tool-setup.ts";

/** Lines of one file. */
export interface ShownFile {
  readonly path: string;
  readonly lines: string;
}

function blockOf({ path, lines }: ShownFile): string {
  return `${path}:\n\n${lines.replace(/^\n+|\n+$/g, "")}\n\n`;
}

function linksText(links: readonly LinkChange[]): string {
  return links.map(({ path, target }) => `${path} -> ${target}\n\n`).join("");
}

/** What is going to be written. */
export function additionsText(files: readonly ShownFile[], links: readonly LinkChange[]): string {
  return `To be written:\n\n${files.map(blockOf).join("")}${linksText(links)}`;
}

/** An insertion for the person. */
export function insertionText(insertion: Insertion): string {
  switch (insertion.kind) {
    case "lines":
      return insertion.lines.join("\n");
    case "member":
      return `${JSON.stringify(insertion.parent)}: { ${JSON.stringify(insertion.name)}: ${JSON.stringify(insertion.value)} }`;
    default:
      return `${insertion.after}  # of the context ${insertion.context}; before: ${insertion.before.trim()}`;
  }
}

/** What is going to be taken out. */
export function removalsText(files: readonly ShownFile[], links: readonly LinkChange[]): string {
  return `To be taken out:\n\n${files.map(blockOf).join("")}${linksText(links)}`;
}

/** What is said of lines that somebody has changed. */
export function changedText(path: string): string {
  return `Lines of ours in ${path} were changed since they were written, and were left: take them out there.`;
}

/** How a setup is named to a person. */
export function setupName({ tool, target }: Pick<JournalEntry, "tool" | "target">): string {
  return `${tool} ${target}`;
}
