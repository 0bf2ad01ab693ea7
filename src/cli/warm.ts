// The answer to `latchkey token` from the cache alone: synchronous, without network, locks or cryptography. Changes when
// what a cached token may answer does.

import type { GetTokenOptions } from "../core/types.ts";
import { cacheFilePath, type Machine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import { readCacheFileSync } from "../record/read-sync.ts";
import { accessTokenOf } from "../session/access-token.ts";
import { satisfying, wantedOf } from "../session/satisfy.ts";
import { parseArguments, type CommandLine } from "./arguments.ts";
import { readSettings, type Settings } from "./settings.ts";
import { tokenText } from "./token-text.ts";

/** What the flags of `latchkey token` ask of a credential. */
export function tokenRequestOf(line: CommandLine): GetTokenOptions {
  const { flags } = line;
  const seconds = flags["min-validity-seconds"];
  return {
    tokenKind: flags["id-token"] === true ? "id_token" : "access_token",
    forceRefresh: flags["force-refresh"] === true,
    interactive: flags["interactive"] !== false,
    ...(typeof seconds === "string" ? { minValiditySeconds: Number(seconds) } : {}),
  };
}

/** The output of `latchkey token` where the cache holds it; undefined where more than a look is needed. */
export function cachedTokenText(
  line: CommandLine,
  settings: Settings,
  machine: Machine,
  nowMilliseconds: number,
): string | undefined {
  const request = tokenRequestOf(line);
  if (line.command !== "token" || request.forceRefresh === true) return undefined;
  const options = resolveOptions(settings.given, "interactive");
  if (options.forceLogin) return undefined;
  const key = recordKey({ kind: "interactive", options: { ...options } });
  const cache = readCacheFileSync(cacheFilePath(options.cachePath, cacheFileName(key), machine));
  // Records that cannot be used are worth a warning, and that is the full program's to say.
  if (cache.state !== "records" || cache.damagedRecords > 0) return undefined;
  const wanted = wantedOf(request, {
    personPresent: false,
    signedInSince: null,
    version: undefined,
  });
  const bound = { key, issuer: options.issuer, clientId: options.clientId };
  for (const each of cache.records) {
    const record = satisfying(each, wanted, bound, nowMilliseconds / 1000);
    if (record !== undefined) {
      return tokenText(accessTokenOf(record, wanted.tokenKind, "cache"), line.flags);
    }
  }
  return undefined;
}

/**
 * The whole output for an argument list, or undefined where the full program has to look at it. What it throws means
 * the same: the full program meets the same fault and says so.
 */
export function answerFromCache(
  argumentList: readonly string[],
  machine: Machine,
  nowMilliseconds: number,
): string | undefined {
  const line = parseArguments(argumentList);
  if (line.command !== "token") return undefined;
  return cachedTokenText(line, readSettings(line, machine), machine, nowMilliseconds);
}
