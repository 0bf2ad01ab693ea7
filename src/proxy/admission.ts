// Who may use the proxy: whatever reaches it acts at the server as the person. Changes when another kind of client does.

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** Why a request goes no further, as its answer says it. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
  /** What the client may send to be let in. */
  readonly challenge?: readonly string[];
}

/** What decides for one place that is listened at. */
export interface AdmissionRules {
  /** `host:port` of each name that this place has; undefined for a socket, which has none. */
  readonly hosts: readonly string[] | undefined;
  /** What clients have to show; undefined where the rights of a folder keep others out. */
  readonly secret: string | undefined;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Whether a client showed the secret; how long this takes says nothing about it. */
export function isSecret(shown: string, secret: string): boolean {
  return timingSafeEqual(digest(shown), digest(secret));
}

/** What a client shows as its own bearer token, or as its password with any name (RFC 6750, RFC 7617). */
function shownSecret(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +(\S+)$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}

/** A page in a browser asks, and it is not one of this place itself. */
function isOtherPage(headers: IncomingHttpHeaders, hosts: readonly string[] | undefined): boolean {
  const own = (hosts ?? []).map((host) => `http://${host}`);
  const { origin, referer, "sec-fetch-site": site } = headers;
  if (site !== undefined && site !== "none" && site !== "same-origin") return true;
  if (origin !== undefined && !own.includes(origin)) return true;
  if (referer === undefined) return false;
  // Where a browser says neither; other programs name pages of any kind.
  return hosts !== undefined && !own.includes(URL.parse(referer)?.origin ?? "");
}

/**
 * Judges a request by its head; undefined where it may go on.
 *
 * | it says | then |
 * |---|---|
 * | another `Host` than this place's | refused: a name of somebody else's leads here (DNS rebinding) |
 * | that a page of another origin asks (`Origin`, `Sec-Fetch-Site`, `Referer`) | refused, whatever else it shows |
 * | not the secret, where there is one | refused, and told how to show it |
 */
export function refusalOf(
  headers: IncomingHttpHeaders,
  { hosts, secret }: AdmissionRules,
): Refusal | undefined {
  if (hosts !== undefined && !hosts.includes(headers.host ?? "")) {
    return { status: 421, why: `This is ${hosts[0] ?? ""}, and the request is for another host.` };
  }
  if (isOtherPage(headers, hosts)) {
    return { status: 403, why: "Pages of other sites may not use this proxy." };
  }
  if (secret === undefined || isSecret(shownSecret(headers.authorization) ?? "", secret)) {
    return undefined;
  }
  return {
    status: 401,
    why: "This proxy wants its secret, as a bearer token or as a password.",
    challenge: ['Bearer realm="latchkey proxy"', 'Basic realm="latchkey proxy", charset="UTF-8"'],
  };
}
