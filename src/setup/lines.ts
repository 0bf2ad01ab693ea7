// Lines put into a text, and taken out again: whatever else was changed meanwhile stays.

import type { Insertion } from "./tool-setup.ts";

type Lines = Extract<Insertion, { kind: "lines" }>;

/** What became of an insertion: taken out, gone already, or changed so that it is not to be touched. */
export type TakenBack =
  | { readonly outcome: "out"; readonly text: string }
  | { readonly outcome: "gone" | "changed" };

/** A text with lines in it. */
export interface Inserted {
  readonly text: string;
  readonly insertion: Lines;
}

/** How the lines of a text end. */
export function endOfLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Puts lines at the end. */
export function appended(text: string, lines: readonly string[]): Inserted {
  const end = endOfLine(text);
  const start = text === "" || text.endsWith("\n") ? "" : end;
  const after = `${start}${lines.join(end)}${end}`;
  return { text: text + after, insertion: { kind: "lines", before: "", after, lines } };
}

/** Puts lines in front of the line with this number, which may be one behind the last. */
export function insertedAt(text: string, index: number, lines: readonly string[]): Inserted {
  const all = text.split("\n");
  if (index >= all.length || all.slice(index).join("\n") === "") return appended(text, lines);
  const end = endOfLine(text);
  const after = lines.map((line) => line + end).join("");
  const start = all.slice(0, index).join("\n").length + (index === 0 ? 0 : 1);
  return {
    text: text.slice(0, start) + after + text.slice(start),
    insertion: { kind: "lines", before: "", after, lines },
  };
}

/** Puts lines in the place of one line. */
export function replacedAt(text: string, index: number, lines: readonly string[]): Inserted {
  const all = text.split("\n");
  const old = (all[index] ?? "").replace(/\r$/, "");
  const after = lines.join(endOfLine(text));
  const start = all.slice(0, index).join("\n").length + (index === 0 ? 0 : 1);
  return {
    text: text.slice(0, start) + after + text.slice(start + old.length),
    insertion: { kind: "lines", before: old, after, lines },
  };
}

/** The only place of a part that begins and ends where lines do; undefined where there is none or more than one. */
function onlyPlaceOf(part: string, text: string): number | undefined {
  const places: number[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    const end = at + part.length;
    const isStart = at === 0 || text[at - 1] === "\n" || /^\r?\n/.test(part);
    const isEnd = end === text.length || part.endsWith("\n") || /^\r?\n/.test(text.slice(end));
    if (isStart && isEnd) places.push(at);
  }
  return places.length === 1 ? places[0] : undefined;
}

function dedented(lines: readonly string[]): readonly string[] {
  const whole = lines.map((line) => line.replace(/\s+$/, ""));
  const indent = Math.min(
    ...whole.filter((line) => line !== "").map((line) => line.length - line.trimStart().length),
  );
  return whole.map((line) => line.slice(indent));
}

/** Where the lines stand, whatever they are indented by. */
function blockIn(all: readonly string[], lines: readonly string[]): number | undefined {
  const wanted = dedented(lines).join("\n");
  const places = all
    .map((_, index) => index)
    .filter((index) => dedented(all.slice(index, index + lines.length)).join("\n") === wanted);
  return places.length === 1 ? places[0] : undefined;
}

/** Takes an insertion out of a text. */
export function withoutLines(text: string, { before, after, lines }: Lines): TakenBack {
  const at = onlyPlaceOf(after, text);
  if (at !== undefined) {
    const left = text.slice(0, at) + before;
    const right = text.slice(at + after.length);
    // What was the end of a file without a last line end may have become its middle.
    const isGlued = left !== "" && !left.endsWith("\n") && /^[^\r\n]/.test(right);
    return { outcome: "out", text: left + (isGlued ? endOfLine(text) : "") + right };
  }
  const all = text.split("\n");
  const block = lines.slice(lines.findIndex((line) => line.trim() !== ""));
  const start = blockIn(all, block);
  if (start !== undefined) {
    return {
      outcome: "out",
      text: [...all.slice(0, start), ...all.slice(start + block.length)].join("\n"),
    };
  }
  const ours = block.filter((line) => line.includes("latchkey"));
  const telling = (ours.length > 0 ? ours : block).map((line) => line.trim());
  const isLeft = all.some((line) => telling.includes(line.trim()));
  return { outcome: isLeft ? "changed" : "gone" };
}
