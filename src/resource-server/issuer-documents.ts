// The discovery documents of issuers, for a server that goes on running: each is asked for once, and again when its time
// is over.

import { nowSeconds, type Clock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { DiscoveredDocument } from "../provider/discovery.ts";

/** An issuer that could not be asked is left alone for so long, in milliseconds. */
const pauseMilliseconds = 1000;

function oneDocument(
  clock: Clock,
  ask: () => Promise<DiscoveredDocument>,
): () => Promise<DiscoveredDocument> {
  let found: DiscoveredDocument | undefined;
  let flight: Promise<DiscoveredDocument> | undefined;
  let failure: { readonly error: Error; readonly until: number } | undefined;
  return () => {
    if (found !== undefined && nowSeconds(clock) < found.expiresAt) return Promise.resolve(found);
    if (flight !== undefined) return flight;
    if (failure !== undefined && clock.monotonic() < failure.until) {
      return Promise.reject(failure.error);
    }
    const asking = ask();
    flight = asking;
    asking
      .then(
        (document) => void (found = document),
        (error: unknown) =>
          void (failure = { error: error as Error, until: clock.monotonic() + pauseMilliseconds }),
      )
      .finally(() => void (flight = undefined));
    return asking;
  };
}

/** Gives the document of an issuer. However many ask at once, one request is made; nothing is asked before. */
export function issuerDocuments(
  clock: Clock,
  http: () => Promise<HttpClient>,
): (issuer: string) => Promise<DiscoveredDocument> {
  const known = new Map<string, () => Promise<DiscoveredDocument>>();
  return (issuer) => {
    const document =
      known.get(issuer) ??
      oneDocument(clock, async () => {
        const { discoverIssuer } = await loadPart(() => import("../provider/issuer-endpoints.ts"));
        return discoverIssuer(await http(), clock, issuer);
      });
    known.set(issuer, document);
    return document();
  };
}
