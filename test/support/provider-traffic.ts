// Changes when a test wants to know something else about what a client sent to the provider.
import type { IncomingHttpHeaders } from "node:http";

/** What a request is about, told from its path. `browser` is a page for the person (interaction, device code, logout). */
export type RequestKind =
  | "discovery"
  | "jwks"
  | "authorization"
  | "token"
  | "userinfo"
  | "revocation"
  | "device"
  | "introspection"
  | "pushedAuthorization"
  | "browser"
  | "other";

export interface ReceivedRequest {
  readonly kind: RequestKind;
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * How many requests came since the start or the last reset, answered or not.
 * `authorization` counts authorization requests, which a browser makes. `other` holds introspection, pushed
 * authorization requests and paths that the provider does not know. `total` is what the client itself sent: everything
 * but `authorization` and the pages for the person, which have no counter.
 */
export interface RequestCount {
  discovery: number;
  jwks: number;
  authorization: number;
  token: number;
  userinfo: number;
  revocation: number;
  device: number;
  other: number;
  total: number;
}

const kindsByPath: Readonly<Record<string, RequestKind>> = {
  "/jwks": "jwks",
  "/auth": "authorization",
  "/token": "token",
  "/me": "userinfo",
  "/token/revocation": "revocation",
  "/token/introspection": "introspection",
  "/device/auth": "device",
  "/request": "pushedAuthorization",
};

const pagesForThePerson = /^\/(?:auth|interaction|device|session)(?:\/|$)/;

/** `pathname` as it came, `path` its part below the issuer's own path, undefined where nothing is served. */
export function kindOfRequest(pathname: string, path: string | undefined): RequestKind {
  if (pathname.includes("/.well-known/")) return "discovery";
  if (path === undefined) return "other";
  return kindsByPath[path] ?? (pagesForThePerson.test(path) ? "browser" : "other");
}

/** The password of an `Authorization: Basic` header; it is form-encoded before Base64 (RFC 6749 section 2.3.1). */
function basicPassword(header: string | undefined): string | undefined {
  if (header === undefined || !/^basic /i.test(header)) return undefined;
  const pair = Buffer.from(header.slice("basic ".length), "base64").toString();
  const encoded = pair.slice(pair.indexOf(":") + 1);
  return new URLSearchParams(`password=${encoded}`).get("password") ?? encoded;
}

const secretMembersOfAnswers = ["access_token", "refresh_token", "id_token", "device_code"];
const secretParametersOfRequests = [
  "code_verifier",
  "client_secret",
  "client_assertion",
  "state",
  "nonce",
];

/** Everything that clients sent to one provider, and the secrets that went both ways. */
export class Traffic {
  readonly #requests: ReceivedRequest[] = [];
  readonly #issued = new Set<string>();
  readonly #received = new Set<string>();
  #countedFrom = 0;

  add(request: ReceivedRequest): void {
    this.#requests.push(request);
    const password = basicPassword(request.headers.authorization);
    if (password !== undefined) this.#received.add(password);
    for (const parameters of [request.query, new URLSearchParams(request.body)]) {
      for (const name of secretParametersOfRequests) {
        for (const value of parameters.getAll(name)) {
          if (value !== "") this.#received.add(value);
        }
      }
    }
  }

  /** Looks for codes and tokens in an answer. */
  addAnswer(location: string | undefined, body: string | Uint8Array | undefined): void {
    if (location !== undefined && URL.canParse(location)) {
      const code = new URL(location).searchParams.get("code");
      if (code !== null) this.#issued.add(code);
    }
    let answer: unknown;
    try {
      answer = JSON.parse(Buffer.from(body ?? "").toString());
    } catch {
      return;
    }
    if (typeof answer !== "object" || answer === null) return;
    for (const [name, value] of Object.entries(answer)) {
      if (secretMembersOfAnswers.includes(name) && typeof value === "string" && value !== "") {
        this.#issued.add(value);
      }
    }
  }

  /** Requests of one kind since the last reset. */
  of(kind: RequestKind): readonly ReceivedRequest[] {
    return this.#requests.slice(this.#countedFrom).filter((request) => request.kind === kind);
  }

  count(): RequestCount {
    const count: RequestCount = {
      discovery: 0,
      jwks: 0,
      authorization: 0,
      token: 0,
      userinfo: 0,
      revocation: 0,
      device: 0,
      other: 0,
      total: 0,
    };
    for (const { kind } of this.#requests.slice(this.#countedFrom)) {
      if (kind === "browser") continue;
      if (kind === "introspection" || kind === "pushedAuthorization") count.other += 1;
      else count[kind] += 1;
      if (kind !== "authorization") count.total += 1;
    }
    return count;
  }

  /** Counts and lists start anew; the secrets stay known. */
  reset(): void {
    this.#countedFrom = this.#requests.length;
  }

  /** Codes and tokens that the provider gave out. */
  secretsIssued(): readonly string[] {
    return [...this.#issued];
  }

  /** Verifiers, states, nonces, client secrets and assertions that clients sent. */
  secretsReceived(): readonly string[] {
    return [...this.#received];
  }
}
