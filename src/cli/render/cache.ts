// What `latchkey cache` says to people.

import type { Moved } from "../../store/move-records.ts";

function signIns(count: number): string {
  return count === 1 ? "1 sign-in" : `${String(count)} sign-ins`;
}

/** After `latchkey cache move`. */
export function movedText(to: "sealed" | "plain", { moved, already, unreadable }: Moved): string {
  const where =
    to === "sealed" ? "sealed, with the key in the keychain" : "in files, in plain text";
  const sentences = [
    moved > 0 ? `Moved ${signIns(moved)}: now ${where}.` : "Nothing was moved.",
    already > 0 ? `${signIns(already)} had been there before.` : "",
    unreadable > 0
      ? `${signIns(unreadable)} cannot be opened with the key in the keychain, and stayed as they are: latchkey logout --all takes them away.`
      : "",
    moved + already + unreadable === 0 ? "There is no sign-in in this cache." : "",
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}
