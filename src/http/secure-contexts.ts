// What TLS connections are made with: roots, a client's certificate, the lowest version.

import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { ownProperties } from "../core/own-properties.ts";
import type { TrustedRoots } from "./trust-roots.ts";

/** A certificate that this client shows, and its key, both in PEM form. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Contexts that trust the same roots. */
export interface ContextPair {
  /** For the host that was asked for; the only one that is shown the client's certificate. */
  readonly target: SecureContext;
  readonly proxy: SecureContext;
}

/** The contexts in which a connection is tried: the last of them trusts everything that is trusted. */
export interface SecureContexts {
  readonly rounds: number;
  /** From which one on: what was needed once is needed again. */
  first: number;
  readonly at: (round: number) => ContextPair;
}

/**
 * With a bundle, connections are tried with the bundle alone first: parsing some 150 roots of Node's takes longer than
 * a handshake, and whoever names a private authority mostly talks to hosts of that authority. What the bundle alone
 * vouches for, the bundle and Node's roots together vouch for too.
 */
export function createSecureContexts(
  roots: TrustedRoots,
  clientCertificate: ClientCertificate | undefined,
): SecureContexts {
  // Without a list, Node's own store is used as it stands.
  const lists: readonly (() => readonly string[] | undefined)[] =
    roots.bundle === undefined ? [() => undefined] : [() => roots.bundle, () => roots.all()];
  const made = new Map<number, ContextPair>();
  const make = (ca: readonly string[] | undefined, own: ClientCertificate | undefined) =>
    createSecureContext(
      ownProperties<SecureContextOptions>({
        // RFC 9325 section 3.1.1: "Implementations MUST NOT negotiate TLS version 1.1."
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca: [...ca] }),
        ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
      }),
    );
  return {
    rounds: lists.length,
    first: 0,
    at: (round) => {
      let pair = made.get(round);
      if (pair === undefined) {
        const ca = lists[round]?.();
        const proxy = make(ca, undefined);
        const target = clientCertificate === undefined ? proxy : make(ca, clientCertificate);
        pair = { target, proxy };
        made.set(round, pair);
      }
      return pair;
    },
  };
}
