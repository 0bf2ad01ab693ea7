// `latchkey logout --all`: every sign-in of one cache, each with the options that it was made with. Changes when what
// a key holds does.

import { warningEvent } from "../../../core/warning.ts";
import { isErrorOf, isOidcError } from "../../../core/errors.ts";
import { compose, type Composition } from "../../../credential/compose.ts";
import { resolveOptions } from "../../../options/resolve.ts";
import type { SessionRecord } from "../../../record/format.ts";
import { configurationOfKey } from "../../../record/key.ts";
import { RecordRepository, recordsIn } from "../../../session/record-repository.ts";
import type { TokenStore } from "../../../store/token-store.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { issuerHost } from "../../render/texts.ts";

/** What became of all sign-ins. */
export interface ForgottenAll {
  readonly forgotten: number;
  /** Hosts whose provider offers no revocation. */
  readonly unsupported: readonly string[];
  /** Hosts that could not be told. */
  readonly failed: readonly string[];
  /** Pages at which the person ends the providers' own sessions, each once. */
  readonly logoutUrls: readonly string[];
}

/** What of this run's options is about the way to any provider, not about one sign-in. */
const connectionOptions = [
  "caCertPath",
  "cachePath",
  "storage",
  "httpTimeoutSeconds",
  "allowInsecureHttp",
] as const;

function askNobody(): Promise<never> {
  return Promise.reject(new TypeError("A logout asks no server."));
}

function composeFor(record: SessionRecord, opened: Opened): Composition | undefined {
  const made = configurationOfKey(record.key);
  if (made === undefined) return undefined;
  const given: Record<string, unknown> = { ...made.options };
  const address = given["server"];
  // A logout asks no server, and one that a program asked by itself could not be asked here.
  if (address !== undefined) given["server"] = { address, getOidcIssuer: askNobody };
  for (const name of connectionOptions) {
    if (opened.options.explicit.has(name)) given[name] = opened.options[name];
  }
  // The secret of this run's client is nobody else's business.
  const isOwn =
    opened.options.issuer === record.issuer && opened.options.clientId === record.clientId;
  if (isOwn) given["clientSecret"] = opened.options.clientSecret;
  try {
    return compose(resolveOptions(given, made.kind), {}, made.kind);
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

/** The sign-ins that can be read; none where a keychain keeps them shut. */
async function readable(store: TokenStore): Promise<readonly SessionRecord[]> {
  try {
    return await recordsIn(store);
  } catch (error) {
    if (isErrorOf(error, "keychain_unavailable")) return [];
    throw error;
  }
}

/**
 * Forgets every sign-in of the cache in use; with `revoke` each provider is told, as far as it can be.
 * @throws {OidcError} `cache_write_failed`, `cache_insecure`.
 */
export async function forgetAll(context: CommandContext, revoke: boolean): Promise<ForgottenAll> {
  const opened = await context.open(revoke);
  const { store, world } = opened;
  let forgotten = 0;
  const unsupported = new Set<string>();
  const failed = new Set<string>();
  const logoutUrls = new Set<string>();
  for (const record of await readable(store)) {
    context.signal.throwIfAborted();
    const composition = revoke ? composeFor(record, opened) : undefined;
    if (composition !== undefined) {
      const result = await composition.session.logout({ revoke: true });
      forgotten += result.forgotten;
      if (result.logoutUrl !== undefined) logoutUrls.add(result.logoutUrl);
      if (result.revoked === "unsupported") unsupported.add(issuerHost(record.issuer));
      if (result.revoked === "failed") failed.add(issuerHost(record.issuer));
      continue;
    }
    const repository = new RecordRepository(store, record.key, (code, said) => {
      world.prompt(warningEvent(code, said));
    });
    if ((await repository.forget()) === undefined) continue;
    forgotten += 1;
    if (revoke) failed.add(issuerHost(record.issuer));
  }
  // What could not be read goes with them.
  forgotten += (await store.discard?.()) ?? 0;
  await store.tidy?.();
  return {
    forgotten,
    unsupported: [...unsupported],
    failed: [...failed],
    logoutUrls: [...logoutUrls],
  };
}
