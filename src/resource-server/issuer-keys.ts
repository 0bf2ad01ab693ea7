// The keys of an issuer: its discovery document where no address of them is given, then the key set itself.

import { systemClock, type Clock } from "../core/clock.ts";
import { maxKeyRequestSeconds } from "../core/limits.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { FetchedKeySet } from "../keys/key-source.ts";
import { ServingKeys } from "../keys/serving-keys.ts";
import type { DiscoveredDocument } from "../provider/discovery.ts";
import { issuerDocuments } from "./issuer-documents.ts";
import type { ResourceServerEvent } from "./resource-server-types.ts";

/** What is needed to ask issuers: nothing of it is loaded before the first question. */
export interface KeyWorld {
  readonly clock: Clock;
  readonly http: () => Promise<HttpClient>;
  /** The discovery document of an issuer. */
  readonly document: (issuer: string) => Promise<DiscoveredDocument>;
  readonly onEvent: ((event: ResourceServerEvent) => void) | undefined;
}

/** The world of a server. */
export function keyWorld(caCertPath: string | undefined, onEvent: KeyWorld["onEvent"]): KeyWorld {
  const clock = systemClock;
  const http = madeOnce(async () => {
    const { createHttpClient } = await loadPart(() => import("../http/client.ts"));
    return createHttpClient({
      clock,
      logger: undefined,
      timeoutSeconds: maxKeyRequestSeconds,
      caCertPath,
      allowInsecureHttp: false,
      environment: process.env,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    });
  });
  return { clock, http, document: issuerDocuments(clock, http), onEvent };
}

/** The keys of an issuer. @param jwksUri their address where it is given; else the issuer's document says it. */
export function issuerKeys(
  world: KeyWorld,
  issuer: string,
  jwksUri: string | undefined,
): ServingKeys {
  const addressOfKeys = async (): Promise<string> => {
    const found = await world.document(issuer);
    const { endpointIn } = await loadPart(() => import("../provider/issuer-endpoints.ts"));
    return endpointIn(found, issuer, "jwks_uri");
  };
  const ask = async (signal: AbortSignal | undefined): Promise<FetchedKeySet> => {
    const address = jwksUri ?? (await addressOfKeys());
    const { keySetRequest, readKeySet } = await loadPart(() => import("../provider/key-set.ts"));
    const http = await world.http();
    return readKeySet(await http.send(keySetRequest(address, signal)), address, world.clock.now());
  };
  return new ServingKeys({
    clock: world.clock,
    fetch: async (signal) => {
      const startedAt = world.clock.monotonic();
      let fetched = false;
      try {
        const keySet = await ask(signal);
        fetched = true;
        return keySet;
      } finally {
        const milliseconds = Math.round(world.clock.monotonic() - startedAt);
        world.onEvent?.({ type: "keys", issuer, fetched, milliseconds });
      }
    },
  });
}
