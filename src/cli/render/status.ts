// The list of `latchkey status` for people. Changes when its look does.

import { sanitizeProviderText } from "../../core/errors.ts";
import { shownAddress } from "../../core/server-words.ts";
import type { SessionRecord } from "../../record/format.ts";
import type { LockHolder, StoreLevel } from "../../store/token-store.ts";
import { pairs } from "./layout.ts";
import { isOfClient, nameOf } from "./texts.ts";
import { clockTime, span } from "./time.ts";

/** Whether nothing but a new sign-in gives another token. */
export function hasEnded(record: SessionRecord, now: Date): boolean {
  if (record.refreshToken !== undefined || isOfClient(record)) return false;
  const { accessToken } = record;
  return (
    accessToken === null ||
    (accessToken.expiresAt !== null && accessToken.expiresAt * 1000 <= now.getTime())
  );
}

function validity(record: SessionRecord, now: Date): string {
  const renews = record.refreshToken !== undefined || isOfClient(record);
  const expiresAt = record.accessToken?.expiresAt ?? null;
  if (expiresAt === null) {
    if (record.accessToken === null) return "expired; renews by itself";
    return renews ? "not known; renews by itself" : "not known";
  }
  const left = expiresAt * 1000 - now.getTime();
  const time = clockTime(new Date(expiresAt * 1000), now);
  const when = left > 0 ? `${time} (in ${span(left)})` : `${time} (${span(left)} ago)`;
  if (renews) return `${when}; renews by itself`;
  return left > 0 ? `${when}; then sign in again` : `${when}; sign in again`;
}

/** A sign-in, who works on it now, and how it is named on the command line. */
export interface ListedSignIn {
  readonly record: SessionRecord;
  readonly holder: LockHolder | undefined;
  /** How well it is protected, where that is worth a line. */
  readonly level?: StoreLevel | undefined;
  /** The profile that leads to it. */
  readonly profile?: string | undefined;
  /** The command to type next, as typed; undefined where no flags lead to this sign-in. */
  readonly next?: string | undefined;
}

const kept: Readonly<Record<StoreLevel, string>> = {
  memory: "by this program alone",
  "file-permissions": "in a file, in plain text",
  keychain: "in a sealed file, its key in the keychain",
  "caller-key": "sealed, with a key of the program's own",
};

const doing = { refresh: "renewing the token", login: "signing in" } as const;

function work(holder: LockHolder | undefined, now: Date): string | undefined {
  if (holder === undefined) return undefined;
  const since = new Date(holder.since);
  const { processId, phase } = holder;
  const who =
    processId === undefined ? "a process in another container" : `process ${String(processId)}`;
  return `${who} is ${doing[phase]}, since ${clockTime(since, now)} (${span(now.getTime() - holder.since)})`;
}

function block(
  { record, holder, level, profile, next }: ListedSignIn,
  now: Date,
  columns: number,
): string {
  const signedIn = record.signedInAt > 0;
  const name = !signedIn
    ? "nobody yet"
    : isOfClient(record)
      ? `client ${sanitizeProviderText(record.clientId, 100)} itself`
      : nameOf(record);
  const { subject } = record;
  const scopes = record.accessToken?.scopes.join(" ");
  const rows = pairs(
    [
      ["profile", profile],
      ["server", record.server && shownAddress(record.server.address)],
      ["as", name],
      [
        "subject",
        subject === undefined || subject === name ? undefined : sanitizeProviderText(subject),
      ],
      ["client", sanitizeProviderText(record.clientId)],
      [
        "scopes",
        scopes === undefined || scopes === "" ? undefined : sanitizeProviderText(scopes, 1000),
      ],
      ["expires", signedIn ? validity(record, now) : undefined],
      ["kept", level && kept[level]],
      ["now", work(holder, now)],
      // A command stays on one line: it is there to be copied.
      ["next", next && sanitizeProviderText(next, 1000).replaceAll(" ", "\u00a0")],
    ],
    columns,
    2,
  );
  return `${sanitizeProviderText(record.issuer, 1000)}\n${rows}`;
}

/** One block for each sign-in, an empty line between two. */
export function statusText(signIns: readonly ListedSignIn[], now: Date, columns: number): string {
  return signIns.map((signIn) => block(signIn, now, columns)).join("\n\n");
}
