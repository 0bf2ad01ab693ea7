// A cached sign-in as a program may show it.

import { isOidcError } from "../core/errors.ts";
import type { SessionRecord } from "../record/format.ts";
import type { RecordStore, StoreLevel } from "../store/token-store.ts";
import type { SignIn } from "./session-types.ts";

/** What is public of a record: no token, and nothing that a later write could change. */
function signInOf(record: SessionRecord, storeLevel: StoreLevel): SignIn {
  const { accessToken } = record;
  const ends = accessToken?.expiresAt ?? null;
  const expiresAt = ends === null ? undefined : new Date(ends * 1000);
  const refreshable = record.refreshToken !== undefined;
  return Object.freeze({
    issuer: record.issuer,
    server: record.server?.address,
    clientId: record.clientId,
    subject: record.subject,
    name: record.displayName ?? record.subject,
    scopes: Object.freeze([...(accessToken?.scopes ?? [])]),
    expiresAt,
    refreshable,
    // How long a refresh token lives only some providers say, each in a member of its own.
    signInEndsAt: refreshable ? undefined : expiresAt && new Date(expiresAt),
    storeLevel,
  });
}

/** How well a record is protected. A store that cannot say it now says what it is made for. */
export async function levelOf(records: RecordStore, key: string): Promise<StoreLevel> {
  try {
    return (await records.levelOf?.(key)) ?? records.level;
  } catch (error) {
    if (isOidcError(error)) return records.level;
    throw error;
  }
}

/** The same, with how well the store keeps it. */
export async function signInIn(records: RecordStore, record: SessionRecord): Promise<SignIn> {
  return signInOf(record, await levelOf(records, record.key));
}
