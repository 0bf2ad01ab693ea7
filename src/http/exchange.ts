// What one HTTP operation with a provider is, and what comes of it; and a request whose answer is the caller's to read.

import type { Socket } from "node:net";
import type { OidcError } from "../core/errors.ts";
import type { TransportAnswer, TransportRequest } from "../core/world.ts";

/** One operation: a request with its retries and its time limit. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** What the operation is called in messages: "discovery", "key set", "token request", "userinfo", "revocation". */
  readonly step: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Form body of a POST. */
  readonly form?: URLSearchParams;
  /** JSON body of a POST, in place of a form. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** A body as it stands, in place of a form: sent over HTTP/2. */
  readonly message?: Uint8Array;
  /** Default `application/json`. */
  readonly accept?: string;
  /** An unauthenticated GET of metadata or keys: may be retried, and may follow one redirect in its origin. */
  readonly metadata?: boolean;
  /** A limit of its own, in seconds, where it is shorter than the client's. */
  readonly maxSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer: read, bounded and decoded. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case, values of one name joined by ", "; without a prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What came after the body, as `headers` are; undefined but for a `message`. */
  readonly trailers?: Readonly<Record<string, string>> | undefined;
  /** The address that answered. */
  readonly url: string;
}

/**
 * Sends operations. Rejects with `OidcError` `network`, `timeout`, `tls`, `response_too_large`, `redirect_refused`,
 * `rate_limited`, `insecure_url`, `ca_bundle_invalid`, `aborted`; never with anything that holds a body or a header.
 */
export interface HttpClient {
  /** Any status but a redirect or a 429/503 that asks to wait too long is an answer. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /**
   * A digest of the roots that this client's connections trust, by their content, as it was when they were first
   * needed. Rejects with `ca_bundle_invalid`.
   */
  trustedRoots(): Promise<string>;
}

/** A request to a server of the user's own: sent once, as it is. */
export interface OpenRequest extends Omit<TransportRequest, "protocol"> {
  /** What it is called in messages. */
  readonly step: string;
}

/** Sends those. */
export interface RequestOpener {
  /**
   * The head of the answer, whatever its status, a redirect too; the body comes as it is read, and its length and time
   * are limited by nothing but the signal. Rejects with `OidcError` `network`, `timeout` (connecting), `tls`,
   * `ca_bundle_invalid`, as reading the body does; with the signal's reason.
   */
  open(request: OpenRequest): Promise<TransportAnswer>;
}

/** A connection to a server of the user's own, for whatever is spoken there. */
export interface DialRequest {
  /** `https:` for TLS with the host, whatever is spoken over it. */
  readonly url: URL;
  /** What it is called in messages. */
  readonly step: string;
  readonly signal: AbortSignal;
  /** What TLS agrees on (RFC 7301). Default: `http/1.1`. */
  readonly protocol?: "postgresql" | undefined;
  /** Done over the plain connection before TLS begins on it; the connection ends where it rejects. */
  readonly beforeTls?: ((socket: Socket) => Promise<void>) | undefined;
  /** A connection that nobody has used before. Default: false. */
  readonly isNew?: boolean | undefined;
}

/** One that stands. */
export interface Dialled {
  readonly socket: Socket;
  /** Another request has gone over it before: the server may be closing it just now. */
  readonly wasKept: boolean;
  /** Keeps it for another request. `seconds`: how long the server keeps it, where it says so. */
  keep(seconds: number | undefined): void;
  /** What ended it, in words. */
  explain(thrown: unknown): OidcError;
}

/** Opens those: verified, through proxies, and kept from one request to the next. */
export interface Dialer {
  /** Rejects with `OidcError` `network`, `timeout`, `tls`, `ca_bundle_invalid`; with the signal's reason. */
  dial(request: DialRequest): Promise<Dialled>;
}
