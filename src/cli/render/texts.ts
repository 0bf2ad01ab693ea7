// What the commands say to people, all of it in one place. Changes when a wording does.

import { shownServer } from "../../core/server-words.ts";
import { sanitizeProviderText } from "../../core/errors.ts";
import type { LogoutResult } from "../../core/types.ts";
import type { SessionRecord } from "../../record/format.ts";
import { configurationOfKey } from "../../record/key.ts";
import { clockTime } from "./time.ts";

/** Names that a person is called by, from a provider: bounded and without anything that steers a terminal (O06). */
export function nameOf(record: Pick<SessionRecord, "displayName" | "subject">): string | undefined {
  const name = sanitizeProviderText(record.displayName ?? record.subject ?? "", 100);
  return name === "" ? undefined : name;
}

/** The host of an issuer, with its port where that is not the usual one. */
export function issuerHost(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : sanitizeProviderText(issuer, 100);
}

/** True for the token of a client itself: no person signed in. */
export function isOfClient(record: SessionRecord): boolean {
  return configurationOfKey(record.key)?.kind === "client";
}

/** `id.example.com as alice@example.com`, or as the client itself. */
export function whoAndWhere(record: SessionRecord): string {
  const name = isOfClient(record)
    ? `client ${sanitizeProviderText(record.clientId, 100)}`
    : nameOf(record);
  const server = record.server === undefined ? "" : ` for ${shownServer(record.server.address)}`;
  return `${issuerHost(record.issuer)}${name === undefined ? "" : ` as ${name}`}${server}`;
}

function howLong(record: SessionRecord, now: Date): string {
  if (record.refreshToken !== undefined || isOfClient(record)) return " Renews by itself.";
  const expiresAt = record.accessToken?.expiresAt ?? null;
  if (expiresAt === null) return "";
  return ` Valid until ${clockTime(new Date(expiresAt * 1000), now)}; then sign in again.`;
}

/** A refresh token is missed where the access token ends; a client gets its next token without one. */
function missesRefreshToken(record: SessionRecord): boolean {
  const ends = (record.accessToken?.expiresAt ?? null) !== null;
  return ends && record.refreshToken === undefined && !isOfClient(record);
}

/** What is to be said about a sign-in besides itself. */
export interface AboutSignIn {
  readonly now: Date;
  /** Whether a refresh token was asked for so. */
  readonly offlineAccess: boolean;
  /** False where it could not be stored: then nothing renews it later. Default: true. */
  readonly isKept?: boolean;
}

/** After a sign-in; each half only where it is known. */
export function signedInText(
  record: SessionRecord,
  { now, offlineAccess, isKept = true }: AboutSignIn,
): string {
  if (!isKept) return `Signed in to ${whoAndWhere(record)}.`;
  const signedIn = `Signed in to ${whoAndWhere(record)}.${howLong(record, now)}`;
  if (!missesRefreshToken(record)) return signedIn;
  return offlineAccess
    ? `${signedIn} The provider gave no refresh token, though --offline-access asked for one: look whether it lets client ${sanitizeProviderText(record.clientId, 100)} have one.`
    : `${signedIn} The provider gave no refresh token; --offline-access asks for one.`;
}

/** Whose sign-in another person's has taken the place of; undefined where it is the same person's, or the first. */
export function replacedText(
  before: SessionRecord | undefined,
  record: SessionRecord,
): string | undefined {
  const isOther =
    before?.subject !== undefined &&
    record.subject !== undefined &&
    before.subject !== record.subject;
  if (!isOther) return undefined;
  const name = nameOf(before) ?? "somebody else";
  return `This replaces the sign-in as ${name}. To keep several, sign in with --login-hint for each.`;
}

/** `latchkey status` without anything to list. */
export const nothingCached = "Nothing is cached.";

/** `latchkey status` where other sign-ins are cached than the one that is named. */
export const nothingCachedHere =
  "Nothing is cached for these options. All that is cached: latchkey status";

const revocations: Readonly<Record<LogoutResult["revoked"], string>> = {
  no: "",
  yes: " The provider has revoked it.",
  unsupported: " The provider offers no revocation: what it issued stays good until it expires.",
  failed: " The provider could not be told: what it issued stays good until it expires.",
};

function accessTokenText({ accessTokenStays }: LogoutResult, now: Date): string {
  if (accessTokenStays === undefined) return "";
  const { until } = accessTokenStays;
  // One that has ended already is nobody's concern.
  if (until !== undefined && until <= now) return "";
  const when = until === undefined ? "until it expires" : `until ${clockTime(until, now)}`;
  return ` It revokes no access tokens: the last one stays good ${when}.`;
}

/** After `latchkey logout` of one configuration. */
export function loggedOutText(
  record: SessionRecord | undefined,
  result: LogoutResult,
  now: Date,
): string {
  if (result.forgotten === 0) return "There was no sign-in to forget for this configuration.";
  if (record === undefined) {
    return `Deleted the sign-in, which could not be read here.${result.revoked === "failed" ? " So the provider could not be told." : ""}`;
  }
  const { revoked } = result;
  // Its program finds nothing to renew any more, and revokes what it got; that cannot be waited for.
  const renewal =
    revoked === "no" || record.intent === undefined
      ? ""
      : " A renewal may have been under way: if that program still runs, it revokes what it got.";
  return `Forgot the sign-in to ${whoAndWhere(record)}.${revocations[revoked]}${accessTokenText(result, now)}${renewal}`;
}

/** The pages that end the sessions which providers keep in the browser; each address whole and alone on its line. */
export function logoutPagesText(urls: readonly string[], isOpened: boolean): string {
  const [first = ""] = urls;
  const said = isOpened
    ? `Opened the page of ${issuerHost(first)} that ends your session in the browser too. To open it elsewhere, visit:`
    : "Your browser may still be signed in at the provider. To end that too, visit:";
  return [said, ...urls].join("\n\n");
}

/** After `latchkey logout --all`. */
export function allLoggedOutText(result: {
  readonly forgotten: number;
  readonly unsupported: readonly string[];
  readonly failed: readonly string[];
}): string {
  const { forgotten, unsupported, failed } = result;
  if (forgotten === 0) return "There was no sign-in to forget.";
  const stays = "what was issued there stays good until it expires.";
  return [
    `Forgot ${String(forgotten)} ${forgotten === 1 ? "sign-in" : "sign-ins"}.`,
    ...(unsupported.length === 0
      ? []
      : [`No revocation is offered by ${unsupported.join(", ")}: ${stays}`]),
    ...(failed.length === 0 ? [] : [`${failed.join(", ")} could not be told: ${stays}`]),
  ].join(" ");
}

/** After Ctrl-C or a polite request to end. */
export const stopped = "Stopped before it was done. [aborted]";
