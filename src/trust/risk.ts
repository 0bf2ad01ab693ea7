// What a server's answer could do to somebody who has not seen it, and in what it differs from the one that is pinned.

import { defaultScopes } from "../core/default-scopes.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import type { ServerConfig } from "../server/server-config.ts";
import type { Risk } from "./decision.ts";
import type { PinnedAnswer } from "./pins.ts";

/** What decides about the risk of an answer. */
export interface AskedServer {
  /** The host that was asked, with or without its port. */
  readonly host: string;
  /** Whether the answer came over verified TLS, or from this machine. */
  readonly isVerified: boolean;
  /** What the caller set; empty where the server's word counts. */
  readonly callerIssuer: string;
  readonly callerClientId: string;
  /**
   * Whether a client secret, key or certificate would go to the issuer that the server named. Such an issuer has to be
   * accepted by somebody, wherever the server is (D16).
   */
  readonly sendsSecret?: boolean | undefined;
}

/** The hostname of `host` or `host:port` as URLs have it: lower case, punycode; undefined for what is not a host. */
function hostnameOf(host: string): string | undefined {
  return URL.canParse(`https://${host}`) ? new URL(`https://${host}`).hostname : undefined;
}

/**
 * Whether the issuer is on the very host that was asked: equal as parsed names, and no suffix of each other (D20), since
 * whoever has one name below a domain need not have the others. Ports may differ, for TLS names hosts, not ports, and a
 * gRPC server never shares the provider's.
 */
function isOnOwnHost(issuer: string, host: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, hostname } = new URL(issuer);
  return protocol === "https:" && hostname !== "" && hostname === hostnameOf(host);
}

/** What an answer could do to somebody who has not seen it. */
export function riskOf(config: ServerConfig, asked: AskedServer): Risk {
  if (!asked.isVerified) return "phishing";
  // The caller's own issuer may have the secret, whoever named the client.
  if (asked.sendsSecret === true && asked.callerIssuer === "") return "phishing";
  if (isLoopbackHost(hostnameOf(asked.host) ?? "")) return "loopback";
  const issuer = asked.callerIssuer === "" ? config.issuer : asked.callerIssuer;
  const isHarmless = asked.callerClientId !== "" || isOnOwnHost(issuer, asked.host);
  return isHarmless ? "harmless" : "phishing";
}

/** A part of an answer that may have changed. */
export type ChangedPart = "issuer" | "clientId" | "audience" | "scopes";

/** The scopes that an answer has in addition to those of another one. `openid` is no part of a pin. */
export function scopesBeyond(
  before: readonly string[] | undefined,
  now: readonly string[] | undefined,
): readonly string[] {
  const known = new Set(["openid", ...(before ?? defaultScopes)]);
  return [...new Set(now ?? defaultScopes)].filter((scope) => !known.has(scope));
}

/**
 * In what an answer differs from the pinned one so that it has to be accepted again: issuer, client and audience in
 * anything, scopes where they grow. What the caller set is not taken from the server, so a change of it changes nothing.
 */
export function changesOf(
  before: PinnedAnswer,
  now: PinnedAnswer,
  { callerIssuer, callerClientId }: Pick<AskedServer, "callerIssuer" | "callerClientId">,
): readonly ChangedPart[] {
  const changed: ChangedPart[] = [];
  if (callerIssuer === "" && before.issuer !== now.issuer) changed.push("issuer");
  if (callerClientId === "" && before.clientId !== now.clientId) changed.push("clientId");
  if (before.audience !== now.audience) changed.push("audience");
  if (scopesBeyond(before.scopes, now.scopes).length > 0) changed.push("scopes");
  return changed;
}
