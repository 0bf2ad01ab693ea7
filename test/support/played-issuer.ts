// A verifier of access tokens whose issuer is played: its key set comes without a network, and time is moved by hand.
// Changes when a verifier asks its issuer for something else.
import { OidcError } from "../../src/core/errors.ts";
import { keyWorld } from "../../src/resource-server/issuer-keys.ts";
import { JwtVerifier } from "../../src/resource-server/jwt-verifier.ts";
import { resourceServerRules } from "../../src/resource-server/options.ts";
import { Refusals } from "../../src/resource-server/refusals.ts";
import type { ResourceServerOptions } from "../../src/resource-server/resource-server-types.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";

export const playedIssuer = "https://id.example.com";
export const playedAudience = "https://api.example.com";

/** A verifier, and the hands on its issuer. */
export interface PlayedVerifier {
  readonly verifier: JwtVerifier;
  readonly clock: ManualClock;
  /** The keys that the issuer publishes from now on; undefined: it cannot be reached. */
  publish(keys: readonly unknown[] | undefined): void;
  /** Requests for keys so far. */
  requests(): number;
}

/** A verifier of this issuer's tokens. */
export function playVerifier(
  published: readonly unknown[],
  options: Partial<ResourceServerOptions> = {},
): PlayedVerifier {
  const clock = createManualClock();
  let keys: readonly unknown[] | undefined = published;
  let requests = 0;
  const rules = resourceServerRules({
    issuer: playedIssuer,
    jwksUri: `${playedIssuer}/keys`,
    audience: playedAudience,
    ...options,
  });
  const http = {
    send: async ({ url }: { readonly url: string }) => {
      requests += 1;
      if (keys === undefined) throw new OidcError("network", "It cannot be reached.");
      const headers = { "content-type": "application/json", "cache-control": "max-age=3600" };
      return { status: 200, headers, body: Buffer.from(JSON.stringify({ keys })), url };
    },
    trustedRoots: () => Promise.resolve("none"),
  };
  const world = { ...keyWorld(undefined, rules.onEvent), clock, http: async () => http };
  const refusals = new Refusals({ scheme: "Bearer", resourceMetadata: undefined, scopes: [] });
  return {
    verifier: new JwtVerifier({ ...rules, world, refusals }),
    clock,
    publish: (next) => void (keys = next),
    requests: () => requests,
  };
}

/** What a token comes to: its subject, or the reason of its refusal. */
export async function outcomeOf({ verifier }: PlayedVerifier, token: string): Promise<string> {
  try {
    return (verifier.remembered(token) ?? (await verifier.verify(token))).subject;
  } catch (error) {
    if (!(error instanceof OidcError)) throw error;
    return `refused: ${error.reason ?? error.code}`;
  }
}
