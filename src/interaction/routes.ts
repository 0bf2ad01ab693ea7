// Which requests to the loopback listener mean something: a pure decision. Changes when the rules L06 to L11 do.

import type { IncomingHttpHeaders } from "node:http";

/** What of a request decides. */
export interface RequestFacts {
  readonly method: string;
  /** The request target as it stood on the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Every `Host` header that came: Node's `headers` shows the first of several only. */
  readonly hosts: readonly string[];
}

/** What the listener answers to. */
export interface RouteRules {
  /** Authorities that a request may be for, in lower case. */
  readonly authorities: ReadonlySet<string>;
  readonly callbackPath: string;
  readonly outcomePath: string;
  isExpectedState(candidate: string): boolean;
}

/** What a request is. */
export type Route =
  | { readonly kind: "callback"; readonly parameters: URLSearchParams }
  | { readonly kind: "outcome" }
  /** Right place, but not with this sign-in's state. */
  | { readonly kind: "stray"; readonly why: string }
  | { readonly kind: "refused"; readonly status: 403 | 404 | 405 | 421; readonly why: string };

function refused(status: 403 | 404 | 405 | 421, why: string): Route {
  return { kind: "refused", status, why };
}

function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purposes = [headers["sec-purpose"], headers["purpose"], headers["x-moz"]].flat();
  return purposes.some((purpose) => purpose !== undefined && /prefetch|preview/iu.test(purpose));
}

/** True where a request names none of the authorities that it may be for. */
export function isForAnotherHost(
  hosts: readonly string[],
  authorities: ReadonlySet<string>,
): boolean {
  // A page on evil.example whose name was rebound to 127.0.0.1 is same-origin with us in the browser's eyes; only
  // the Host header gives it away (CVE-2025-66414).
  const [host] = hosts;
  return hosts.length !== 1 || host === undefined || !authorities.has(host.toLowerCase());
}

/** Why a request is no visit of a person's browser; undefined where it may be one. */
export function whyNoNavigation(headers: IncomingHttpHeaders): string | undefined {
  // Browsers that send no Sec-Fetch-Mode are not locked out; those that do must be going there, as opposed to
  // loading an image or fetching ahead of a click.
  const fetchMode = headers["sec-fetch-mode"];
  if (fetchMode !== undefined && fetchMode !== "navigate") return "not a navigation";
  if (isPrefetch(headers)) return "prefetch";
  const { origin } = headers;
  return origin !== undefined && origin !== "null" ? "origin" : undefined;
}

/** Sorts one request. Consumes nothing. */
export function routeRequest(request: RequestFacts, rules: RouteRules): Route {
  if (isForAnotherHost(request.hosts, rules.authorities)) return refused(421, "host");
  // Compared as written: `//callback`, `/%63allback` and the absolute form are other paths.
  const queryStart = request.target.indexOf("?");
  const path = queryStart === -1 ? request.target : request.target.slice(0, queryStart);
  if (path !== rules.callbackPath && path !== rules.outcomePath) return refused(404, "path");
  if (request.method !== "GET") return refused(405, "method");

  const why = whyNoNavigation(request.headers);
  if (why !== undefined) return refused(403, why);

  if (path === rules.outcomePath) return { kind: "outcome" };

  const parameters = new URLSearchParams(
    queryStart === -1 ? "" : request.target.slice(queryStart + 1),
  );
  // RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
  const states = parameters.getAll("state");
  const [state] = states;
  if (state === undefined || state === "") return { kind: "stray", why: "no state" };
  if (states.length > 1) return { kind: "stray", why: "repeated state" };
  if (!rules.isExpectedState(state)) return { kind: "stray", why: "another state" };
  return { kind: "callback", parameters };
}
