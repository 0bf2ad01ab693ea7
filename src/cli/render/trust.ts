// The servers of `latchkey trust` for people. Changes when its look does.

import { serverScopes, serverWord, shownAddress } from "../../core/server-words.ts";
import type { PinnedAnswer, ServerPin } from "../../trust/pins.ts";
import { pairs } from "./layout.ts";
import { clockTime } from "./time.ts";

/** `latchkey trust list` without anything to list. */
export const nothingTrusted = "No server is remembered.";

function acceptedText({ acceptedBy, pinnedAt }: ServerPin, now: Date): string {
  const when = clockTime(new Date(pinnedAt), now);
  return acceptedBy === "person" ? `by you, ${when}` : `at first use, unseen, ${when}`;
}

function rowsOf(answer: PinnedAnswer): readonly (readonly [string, string | undefined])[] {
  const { issuer, clientId, audience, scopes } = answer;
  return [
    ["signs in at", shownAddress(issuer)],
    ["client", clientId === "" ? undefined : serverWord(clientId)],
    ["audience", audience === undefined ? undefined : serverWord(audience)],
    ["scopes", scopes === undefined || scopes.length === 0 ? undefined : serverScopes(scopes)],
  ];
}

/** One block for each server, an empty line between two. */
export function trustListText(pins: readonly ServerPin[], now: Date, columns: number): string {
  return pins
    .map((pin) => {
      const rows = [...rowsOf(pin), ["accepted", acceptedText(pin, now)] as const];
      return `${shownAddress(pin.server)}\n${pairs(rows, columns, 2)}`;
    })
    .join("\n\n");
}

/** After `latchkey trust forget`. */
export function forgottenText(pins: readonly ServerPin[]): string {
  const names = pins.map(({ server }) => shownAddress(server)).join(", ");
  return `Forgotten: ${names}. What is said there next counts as a first answer. Sign-ins stay; latchkey logout ends them.`;
}

/** Nothing is remembered under a name. */
export function notRemembered(name: string): string {
  return `Nothing is remembered of ${serverWord(name)}. Known: latchkey trust list`;
}
