// A token from the cache alone: one synchronous look, without network, locks or cryptography.

import { emit } from "../core/events.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import type { CredentialKind } from "../options/resolve.ts";
import { cacheFilePath, type Machine } from "../options/paths.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import { readCacheFileSync } from "../record/read-sync.ts";
import { accessTokenOf } from "../session/access-token.ts";
import { matchRecord } from "../session/cache-match.ts";
import { criteriaOf } from "../session/criteria.ts";
import { tokenText } from "./token-text.ts";

/** Flags that are no options, by name: true or false for switches, else the text. */
export type GivenFlags = Readonly<Record<string, boolean | string>>;

/** Options by name, checked; those that are absent have their default. */
export type CheckedOptions = Readonly<Record<string, unknown>>;

/** What the flags of `latchkey token` ask of a credential. `interactive`: what this run's settings say. */
export function tokenRequestOf(flags: GivenFlags, interactive?: boolean): GetTokenOptions {
  const seconds = flags["min-validity-seconds"];
  return {
    tokenKind: flags["id-token"] === true ? "id_token" : "access_token",
    forceRefresh: flags["force-refresh"] === true,
    interactive: interactive ?? true,
    minValiditySeconds: typeof seconds === "string" ? Number(seconds) : undefined,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/**
 * A token that the cache holds; undefined where more than a look is needed. The session's own rules decide, so that a
 * look and a call cannot disagree.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `cache_write_failed` (reason `no_home`).
 */
export function cachedToken(
  options: CheckedOptions,
  request: GetTokenOptions,
  machine: Machine,
  kind: CredentialKind = "interactive",
): AccessToken | undefined {
  if (options["forceLogin"] === true || request.forceRefresh === true) return undefined;
  // What is in plain text is refused there, and what is sealed needs more than a look.
  if (options["storage"] === "keychain") return undefined;
  const key = recordKey({ kind, options });
  const { cachePath } = options;
  const path = cacheFilePath(textOf(cachePath) || undefined, cacheFileName(key), machine);
  const cache = readCacheFileSync(path);
  // Records that cannot be used are worth a warning, and that is the full program's to say.
  if (cache.state !== "records" || cache.damaged.length > 0) return undefined;
  const criteria = criteriaOf(request, {
    canPrompt: false,
    signedInSince: null,
    cached: undefined,
  });
  const config = { key, issuer: textOf(options["issuer"]), clientId: textOf(options["clientId"]) };
  for (const each of cache.records) {
    const record = matchRecord(each, criteria, config, Date.now() / 1000);
    if (record !== undefined) {
      emit(undefined, "cache.hit", { location: path });
      return accessTokenOf(record, criteria.tokenKind, "cache");
    }
  }
  return undefined;
}

/**
 * The whole output of `latchkey token` where the cache holds it; undefined where more than a look is needed.
 * @throws {OidcError} as {@link cachedToken} does.
 */
export function cachedTokenText(
  options: CheckedOptions,
  flags: GivenFlags,
  machine: Machine,
  kind: CredentialKind = "interactive",
): string | undefined {
  const token = cachedToken(options, tokenRequestOf(flags), machine, kind);
  return token && tokenText(token, flags);
}
