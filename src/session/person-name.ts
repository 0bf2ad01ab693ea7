// What a person is called: from the claims of a sign-in, else from the userinfo endpoint, asked once.

import { sanitizeProviderText } from "../core/errors.ts";
import { maxNameRequestSeconds } from "../core/limits.ts";
import type { World } from "../core/world.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { SessionRecord } from "../record/format.ts";
import { raceAbort } from "./in-process-flight.ts";
import type { Flows } from "./flows.ts";
import type { RecordRepository } from "./record-repository.ts";
import { nextPartVersion } from "../record/version.ts";

const maxName = 100;

/** The claims that name a person, the best one first (OpenID Connect Core section 5.1). */
const nameClaims = ["name", "email", "preferred_username"] as const;

/** The first usable one of the claims that name a person, safe to show; undefined where none does. */
export function nameIn(claims: Readonly<Record<string, unknown>>): string | undefined {
  for (const claim of nameClaims) {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    const name = typeof value === "string" ? sanitizeProviderText(value, maxName) : "";
    if (name !== "") return name;
  }
  return undefined;
}

/** What a person is called: by these claims, else as before, else by their subject. */
export function personName(
  claims: Readonly<Record<string, unknown>> & { readonly sub: string },
  before: string | undefined,
): string {
  return nameIn(claims) ?? before ?? sanitizeProviderText(claims.sub, maxName);
}

/** What a name is asked for with. */
export interface NamingParts {
  readonly world: Pick<World, "clock">;
  readonly repository: RecordRepository;
  readonly flows: Flows;
  readonly newRecordId: () => string;
}

async function askForName(
  record: SessionRecord,
  parts: NamingParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { flows, world } = parts;
  const token = record.accessToken?.token;
  if (token === undefined) return undefined;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  world.clock.sleep(maxNameRequestSeconds * 1000, { signal: either, unref: true }).then(
    () => stop.abort(),
    () => undefined,
  );
  try {
    return nameIn(await raceAbort(flows.userInfo(record, token, either), either));
  } finally {
    stop.abort();
  }
}

/**
 * The record of a sign-in that is stored already, with the name that the userinfo endpoint gives where the ID token names
 * nobody. Many providers keep names for that endpoint. Whatever fails here, the sign-in stands: a name is for showing.
 */
export async function namedRecord(
  record: SessionRecord,
  { claims }: Pick<TokenAnswer, "claims">,
  parts: NamingParts,
  signal: AbortSignal,
): Promise<SessionRecord> {
  // Without an ID token there is no subject that the answer could be held against (Core section 5.3.2).
  if (claims === undefined || record.userinfoEndpoint === undefined) return record;
  if (nameIn(claims) !== undefined) return record;
  try {
    const displayName = await askForName(record, parts, signal);
    if (displayName === undefined) return record;
    const { version } = record;
    const named = await parts.repository.update((current) =>
      current?.version === version
        ? { ...current, displayName, version: nextPartVersion(current, parts.newRecordId) }
        : "keep",
    );
    return named?.displayName === displayName ? named : record;
  } catch {
    return record;
  }
}
