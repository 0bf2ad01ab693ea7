// The endpoints of a cached sign-in, used only while what vouched for them is trusted. Changes when that trust does.

import { loadPart } from "../core/load.ts";
import { markUnsent } from "../core/request-fate.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import { tokenEndpointOf } from "../provider/token-request.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import type { SessionRecord } from "../record/format.ts";
import type { FlowWorld } from "./flow-world.ts";
import { providerOptions } from "./provider-input.ts";
import type { SignInInput } from "./sign-in-config.ts";

/** Endpoints by the names of a token answer, and the roots that vouched for the document with them. */
export type KnownEndpoints = Pick<
  TokenAnswer,
  | "tokenEndpoint"
  | "userinfoEndpoint"
  | "revocationEndpoint"
  | "endSessionEndpoint"
  | "trustedRoots"
>;

/** A digest of the roots that vouch for what an issuer says; undefined over plain `http:`, where nobody does. */
async function rootsBehind(http: HttpClient, issuer: string): Promise<string | undefined> {
  return new URL(issuer).protocol === "https:" ? http.trustedRoots() : undefined;
}

/** An answer together with the roots that vouched for the discovery document that named its endpoints. */
export async function withTrust(
  world: FlowWorld,
  { source, issuer }: ProviderMetadata,
  answer: TokenAnswer,
): Promise<TokenAnswer> {
  const trustedRoots = source === "options" ? undefined : await rootsBehind(world.http, issuer);
  return trustedRoots === undefined ? answer : { ...answer, trustedRoots };
}

/**
 * The record's endpoints while the same roots are trusted as when a discovery document named them; otherwise those of a
 * document that today's roots vouch for. A refresh after a middle-man's root was removed must not send the refresh token
 * and the secret to where that middle-man pointed.
 * @throws {OidcError} what discovery throws; nothing of a request that follows was sent then.
 */
export async function knownEndpoints(
  world: FlowWorld,
  { config, settings }: Pick<SignInInput, "config" | "settings">,
  record: SessionRecord,
  signal: AbortSignal,
): Promise<KnownEndpoints> {
  try {
    const trustedRoots = await rootsBehind(world.http, record.issuer);
    if (trustedRoots === undefined || trustedRoots === record.trustedRoots) return record;
    const where = providerOptions(config, settings, settings.flow);
    const { openProvider } = await loadPart(() => import("../provider/metadata.ts"));
    const provider = await openProvider(world, where, signal);
    const { userinfoEndpoint, revocationEndpoint, endSessionEndpoint } = provider.metadata;
    return {
      tokenEndpoint: tokenEndpointOf(provider),
      ...(userinfoEndpoint === undefined ? {} : { userinfoEndpoint }),
      ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
      ...(endSessionEndpoint === undefined ? {} : { endSessionEndpoint }),
      trustedRoots,
    };
  } catch (error) {
    throw markUnsent(error);
  }
}
