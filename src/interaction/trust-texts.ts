// What a person is asked about a server that says where to sign in. Changes when a wording does.

import type { TrustedAnswer, TrustQuestionEvent } from "../core/prompt.ts";
import { serverScopes, serverWord, shownAddress, shownServer } from "../core/server-words.ts";
import { wrap, type Columns } from "./layout.ts";

/** The facts of a question, without what answers it. */
export type TrustFacts = Pick<
  TrustQuestionEvent,
  "server" | "issuer" | "clientId" | "scopes" | "audience" | "before"
>;

const none = "none";

function named(word: string | undefined): string {
  return word === undefined || word === "" ? none : serverWord(word);
}

/** Two spaces on either side keep what comes from the server apart from what is said about it. */
function firstContact(facts: TrustFacts): string {
  const { server, issuer, clientId, scopes, audience } = facts;
  const parts = [
    ...(clientId === "" ? [] : [`as client  ${serverWord(clientId)}`]),
    ...(scopes.length === 0 ? [] : [`for  ${serverScopes(scopes)}`]),
    ...(audience === undefined ? [] : [`to be used at  ${serverWord(audience)}`]),
  ];
  const asks = `${shownServer(server)} asks you to sign in at  ${shownAddress(issuer)}`;
  const said = parts.length === 0 ? asks : `${asks} ${parts.join("  ")}`;
  return `${said}. You have not used this server before.`;
}

interface Row {
  readonly name: string;
  readonly before: string;
  readonly now: string;
}

function rowsOf(before: TrustedAnswer, now: TrustedAnswer): readonly Row[] {
  const scopes = ({ scopes: all }: TrustedAnswer): string =>
    all.length === 0 ? none : serverScopes(all);
  return [
    { name: "issuer", before: shownAddress(before.issuer), now: shownAddress(now.issuer) },
    { name: "client", before: named(before.clientId), now: named(now.clientId) },
    { name: "audience", before: named(before.audience), now: named(now.audience) },
    { name: "scopes", before: scopes(before), now: scopes(now) },
  ].filter((row) => row.before !== none || row.now !== none);
}

function inColumns({ name, before, now }: Row): string {
  return before === now
    ? `${name.padEnd(8)}  same    ${now}`
    : `${name.padEnd(8)}  before  ${before}\n${" ".repeat(10)}now     ${now}`;
}

function inRows({ name, before, now }: Row): string {
  return before === now
    ? `${name}, the same:\n  ${now}`
    : `${name} before:\n  ${before}\n${name} now:\n  ${now}`;
}

/** What was accepted before and what is said now, one below the other: addresses are too long to stand side by side. */
function changed(facts: TrustFacts, before: TrustedAnswer, columns: Columns): string {
  const lead = `${shownServer(facts.server)} does not say what it said before.`;
  const rows = rowsOf(before, facts);
  const wide = rows.map(inColumns).join("\n");
  const fits = wide.split("\n").every((line) => columns === undefined || line.length <= columns);
  return `${wrap(lead, columns)}\n\n${fits ? wide : rows.map(inRows).join("\n")}\n`;
}

/** The text of a question, up to where the answer is typed. */
export function trustText(facts: TrustFacts, columns: Columns): string {
  if (facts.before === undefined) return `${wrap(firstContact(facts), columns)}\n`;
  const advice = "Ask whoever runs that server whether it is their change, if you do not know.";
  return `${changed(facts, facts.before, columns)}\n${wrap(advice, columns)}\n`;
}

/** What stands before the answer; no is the default. */
export function trustAnswerLead(isChanged: boolean): string {
  return isChanged ? "Accept the change? [y/N] " : "Continue? [y/N] ";
}

/** True for the answers that accept: everything else refuses. */
export function acceptsTrust(line: string): boolean {
  return /^y(?:es)?$/i.test(line.trim());
}

/** The question stands there, and nobody can type an answer. */
export const unanswerableText = "Nobody can answer here, so it is refused.";

/** A background job cannot read its terminal. */
export const trustInBackgroundText =
  "This runs in the background: bring it to the foreground (fg) to answer.";
