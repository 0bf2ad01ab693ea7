// The servers of `latchkey trust` for people. Changes when its look does.

import type { TrustedAnswer } from "../../core/prompt.ts";
import { serverScopes, serverWord, shownAddress } from "../../core/server-words.ts";
import type { PinnedAnswer, ServerPin } from "../../trust/pins.ts";
import type { UnsaidPart } from "../../trust/said-answer.ts";
import { typedWord } from "./errors.ts";
import { pairs } from "./layout.ts";
import { clockTime } from "./time.ts";

/** `latchkey trust list` without anything to list. */
export const nothingTrusted = "No server is remembered.";

function whenAccepted({ acceptedBy, pinnedAt }: ServerPin, now: Date): string {
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
      const rows = [...rowsOf(pin), ["accepted", whenAccepted(pin, now)] as const];
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

/** After `latchkey trust accept`. */
export function acceptedText(server: string, { issuer }: Pick<PinnedAnswer, "issuer">): string {
  return `Accepted: ${shownAddress(server)} signs you in at ${shownAddress(issuer)}. Next: latchkey login --server ${typedWord(server)}`;
}

/** `latchkey trust accept` where there is nothing to accept. */
export function acceptedBeforeText(server: string): string {
  return `${shownAddress(server)} says what was accepted before. Nothing was changed.`;
}

/** What flags would have to say for an answer. */
function wordsFor({ issuer, clientId, audience, scopes }: TrustedAnswer): string[] {
  return [
    `--issuer=${issuer}`,
    ...(clientId === "" ? [] : [`--client-id=${clientId}`]),
    ...(scopes.length === 0 ? [] : [`--scopes=${scopes.join(" ")}`]),
    ...(audience === undefined ? [] : [`--audience=${audience}`]),
  ];
}

/** What a server says, where nobody is asked about it, and what accepts just that. */
export function acceptWithoutTerminal(
  server: string,
  answer: TrustedAnswer,
  why: string,
): { readonly summary: string; readonly remedy: string } {
  const { issuer, clientId, scopes, audience } = answer;
  const client = clientId === "" ? "" : ` as client ${serverWord(clientId)}`;
  const wanted = scopes.length === 0 ? "" : ` for ${serverScopes(scopes)}`;
  const at = audience === undefined ? "" : `, to be used at ${serverWord(audience)}`;
  const words = [
    "latchkey trust accept",
    typedWord(server),
    "--yes",
    ...wordsFor(answer).map(typedWord),
  ];
  return {
    summary: `${shownAddress(server)} asks you to sign in at ${shownAddress(issuer)}${client}${wanted}${at}. ${why} Nothing was accepted.`,
    remedy: `To accept just that: ${words.join(" ")}`,
  };
}

const flagsOf: Readonly<Record<UnsaidPart, string>> = {
  issuer: "--issuer",
  clientId: "--client-id",
  audience: "--audience",
  scopes: "--scopes",
};

/** `--yes` accepts what the other flags say, and nothing else. */
export function notWhatFlagsSay(parts: readonly UnsaidPart[]): string {
  const names = parts.map((part) => flagsOf[part]);
  const last = names.pop() ?? "";
  const list = names.length === 0 ? last : `${names.join(", ")} and ${last}`;
  return `That is not what ${list} ${parts.length === 1 ? "says" : "say"}.`;
}
