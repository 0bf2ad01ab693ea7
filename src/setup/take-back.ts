// Takes insertions out of the text that a file has now.

import { withoutMember } from "./json-members.ts";
import { contextUser } from "./kubeconfig-text.ts";
import { replacedAt, withoutLines, type TakenBack } from "./lines.ts";
import type { Insertion } from "./tool-setup.ts";

function withoutContextUser(
  text: string,
  { context, before, after }: Extract<Insertion, { kind: "context-user" }>,
): TakenBack {
  const place = contextUser(text, context);
  // The context is gone, or has been given another user.
  if (place === undefined || place.text.trim() !== after.trim()) return { outcome: "gone" };
  const indent = /^\s*/.exec(place.text)?.[0] ?? "";
  const line = place.text.replace(/\r$/, "") === after ? before : indent + before.trim();
  return { outcome: "out", text: replacedAt(text, place.line, [line]).text };
}

/** Takes one out. */
export function takeBack(text: string, insertion: Insertion): TakenBack {
  switch (insertion.kind) {
    case "lines":
      return withoutLines(text, insertion);
    case "member":
      return withoutMember(text, insertion);
    default:
      return withoutContextUser(text, insertion);
  }
}

/** What is left of a file, and of its insertions. */
export interface TakenBackAll {
  readonly text: string;
  /** Those that somebody has changed, so that they stay. */
  readonly changed: readonly Insertion[];
  /** How many were there no more. */
  readonly gone: number;
}

/** Takes them out, the last one first. */
export function takeBackAll(text: string, insertions: readonly Insertion[]): TakenBackAll {
  let left = text;
  let gone = 0;
  const changed: Insertion[] = [];
  for (const insertion of insertions.toReversed()) {
    const taken = takeBack(left, insertion);
    if (taken.outcome === "out") left = taken.text;
    else if (taken.outcome === "gone") gone += 1;
    else changed.unshift(insertion);
  }
  return { text: left, changed, gone };
}
