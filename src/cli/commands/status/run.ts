// `latchkey status`: what is cached, never a token. Changes when that command does.

import { isOidcError } from "../../../core/errors.ts";
import type { SessionRecord } from "../../../record/format.ts";
import { recordsIn } from "../../../session/record-repository.ts";
import { levelOf } from "../../../session/sign-in.ts";
import type { LockHolder, StoreLevel, TokenStore } from "../../../store/token-store.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { hasEnded, statusText } from "../../render/status.ts";
import { nameOf, nothingCached, nothingCachedHere } from "../../render/texts.ts";
import type { Settings } from "../../settings.ts";
import { asTyped, isSignIn, signInNames, type SignInNames } from "../../sign-ins.ts";
import { printableJson } from "../../token-text.ts";

/** The whole key where issuer and client are named, else what one of them leaves over; nobody named the default profile. */
function isAskedFor(record: SessionRecord, opened: Opened, settings: Settings): boolean {
  const { issuer, clientId, server } = opened.options;
  if (settings.named === "default profile") return true;
  const isWhole = (issuer !== "" && clientId !== "") || server !== undefined;
  if (isWhole) return record.key === opened.key;
  return (
    (issuer === "" || record.issuer === issuer) && (clientId === "" || record.clientId === clientId)
  );
}

/** Who works on a sign-in now. A lock that cannot be asked for is none of this command's business. */
async function holderOf(record: SessionRecord, store: TokenStore): Promise<LockHolder | undefined> {
  try {
    return await store.holder?.(record.key);
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

/** The command that a person types next for a sign-in; undefined where no flags lead to it. */
function nextCommand(
  record: SessionRecord,
  names: SignInNames,
  isOnlyOne: boolean,
  now: Date,
): string | undefined {
  if (!isSignIn(record)) return undefined;
  const words = isOnlyOne ? [] : names.wordsFor(record);
  // `login` does not take what is cached for what is meant.
  const named = hasEnded(record, now) ? names.wordsFor(record) : words;
  const command = hasEnded(record, now) ? "latchkey login" : "latchkey token";
  return named && [command, asTyped(named)].filter((part) => part !== "").join(" ");
}

/** Lists the cached sign-ins: all of them, or those of the configuration that is named. */
export async function run(context: CommandContext): Promise<number> {
  const opened = await context.open(false);
  const { store, world } = opened;
  const cached = await recordsIn(store);
  const asked = cached
    .filter((record) => isAskedFor(record, opened, context.settings))
    .toSorted((one, other) => other.renewedAt - one.renewedAt);
  const listed = await Promise.all(
    asked.map(async (record) => ({
      record,
      holder: await holderOf(record, store),
      level: await levelOf(store, record.key),
    })),
  );
  const names = signInNames(context.machine);
  if (context.line.flags["json"] === true) {
    const rows = listed
      .filter(({ record }) => isSignIn(record))
      .map(({ record, holder, level }) => ({
        issuer: record.issuer,
        server: record.server?.address ?? null,
        clientId: record.clientId,
        subject: record.subject ?? null,
        name: nameOf(record) ?? null,
        profile: names.profileOf(record) ?? null,
        scopes: record.accessToken?.scopes ?? [],
        expiresAt: isoInstant(record.accessToken?.expiresAt ?? null),
        refreshable: record.refreshToken !== undefined,
        storeLevel: level,
        ...(holder === undefined
          ? {}
          : { holder: { ...holder, since: isoInstant(holder.since / 1000) } }),
      }));
    context.print(`${printableJson(rows)}\n`);
    return 0;
  }
  // A first sign-in that is under way is worth a look, though nothing is cached yet.
  const shown = listed.filter(({ record, holder }) => isSignIn(record) || holder !== undefined);
  if (shown.length === 0) {
    context.tell(cached.some(isSignIn) ? nothingCachedHere : nothingCached);
    return 0;
  }
  const now = new Date(world.clock.now());
  const isOnlyOne = context.settings.named === "nothing" && cached.filter(isSignIn).length === 1;
  const isUsual = (level: StoreLevel): boolean =>
    level === "file-permissions" && opened.options.storage === "file";
  const named = shown.map((each) => ({
    ...each,
    level: isUsual(each.level) ? undefined : each.level,
    profile: names.profileOf(each.record),
    next: nextCommand(each.record, names, isOnlyOne, now),
  }));
  context.print(`${statusText(named, now, context.columns)}\n`);
  return 0;
}

function isoInstant(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}
