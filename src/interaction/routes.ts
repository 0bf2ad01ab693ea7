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

/** Where the answer stands: in the callback's address, or in the body of a form that is posted to it. */
export type ResponseMode = "query" | "form_post";

/** What the listener answers to. */
export interface RouteRules {
  /** Authorities that a request may be for, in lower case. */
  readonly authorities: ReadonlySet<string>;
  readonly callbackPath: string;
  readonly outcomePath: string;
  readonly responseMode: ResponseMode;
  isExpectedState(candidate: string): boolean;
}

/** What an answer is, once its parameters are there. */
export type AnswerRoute =
  | { readonly kind: "callback"; readonly parameters: URLSearchParams }
  /** Right place, but not this sign-in's answer. `isOurs`: it has our state, but came in the other response mode. */
  | { readonly kind: "stray"; readonly why: string; readonly isOurs?: boolean };

/** What a request is. */
export type Route =
  | AnswerRoute
  | { readonly kind: "outcome" }
  /** The parameters stand in the body: {@link routeAnswer} judges them. */
  | { readonly kind: "form" }
  | {
      readonly kind: "refused";
      readonly status: 403 | 404 | 405 | 421;
      readonly why: string;
      /** For 405: what the path answers to. */
      readonly allow?: "GET" | "POST";
      /** An answer to some sign-in by its looks, in the response mode that nobody asked for. */
      readonly isPostedAnswer?: boolean;
    };

function refused(status: 403 | 404 | 421, why: string): Route {
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

/** Why nobody went here with a browser; undefined where somebody may have. */
function whyNoVisit(headers: IncomingHttpHeaders): string | undefined {
  // Browsers that send no Sec-Fetch-Mode are not locked out; those that do must be going there, as opposed to
  // loading an image or fetching ahead of a click.
  const fetchMode = headers["sec-fetch-mode"];
  if (fetchMode !== undefined && fetchMode !== "navigate") return "not a navigation";
  return isPrefetch(headers) ? "prefetch" : undefined;
}

/** Why a request is no visit of a person's browser to an address; undefined where it may be one. */
export function whyNoNavigation(headers: IncomingHttpHeaders): string | undefined {
  const { origin } = headers;
  const isFromPage = origin !== undefined && origin !== "null";
  return whyNoVisit(headers) ?? (isFromPage ? "origin" : undefined);
}

/** Sorts one request. Consumes nothing. */
export function routeRequest(request: RequestFacts, rules: RouteRules): Route {
  if (isForAnotherHost(request.hosts, rules.authorities)) return refused(421, "host");
  // Compared as written: `//callback`, `/%63allback` and the absolute form are other paths.
  const queryStart = request.target.indexOf("?");
  const path = queryStart === -1 ? request.target : request.target.slice(0, queryStart);
  if (path !== rules.callbackPath && path !== rules.outcomePath) return refused(404, "path");
  const takesForm = path === rules.callbackPath && rules.responseMode === "form_post";
  const isPost = request.method === "POST" && path === rules.callbackPath;
  if (request.method !== "GET" && !(isPost && takesForm)) {
    return {
      kind: "refused",
      status: 405,
      why: "method",
      allow: takesForm ? "POST" : "GET",
      isPostedAnswer: isPost && whyNoVisit(request.headers) === undefined,
    };
  }
  // A form is posted from the provider's pages, wherever it has them, or without an origin (a referrer policy, a
  // redirect on the way): what Origin says of it is no news. No page but the provider's knows the state.
  const why = isPost ? whyNoVisit(request.headers) : whyNoNavigation(request.headers);
  if (why !== undefined) return refused(403, why);
  if (isPost) return { kind: "form" };
  if (path === rules.outcomePath) return { kind: "outcome" };

  const query = queryStart === -1 ? "" : request.target.slice(queryStart + 1);
  const answer = routeAnswer(new URLSearchParams(query), rules);
  // A provider that does not know the response mode can say so in no other way than by an error in the address.
  if (!takesForm || answer.kind === "stray" || isError(answer.parameters)) return answer;
  return { kind: "stray", why: "in the address", isOurs: true };
}

function isError(parameters: URLSearchParams): boolean {
  return parameters.has("error") && !parameters.has("code");
}

/** Sorts the parameters of one answer, wherever they stood. */
export function routeAnswer(
  parameters: URLSearchParams,
  rules: Pick<RouteRules, "isExpectedState">,
): AnswerRoute {
  // RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
  const states = parameters.getAll("state");
  const [state] = states;
  if (state === undefined || state === "") return { kind: "stray", why: "no state" };
  if (states.length > 1) return { kind: "stray", why: "repeated state" };
  if (!rules.isExpectedState(state)) return { kind: "stray", why: "another state" };
  return { kind: "callback", parameters };
}
