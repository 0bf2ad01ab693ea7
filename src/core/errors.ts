// The one error class and the one table: error code → exit code → retryable. Changes when the contract gains a code.

import { ownProperties } from "./own-properties.ts";

/** What an error code means to a process (exit status) and to a caller (worth trying again?). */
interface ErrorKind {
  readonly exitCode: number;
  readonly retryable: boolean;
}

/** Stable error codes. More may be added, none is ever renamed. */
export type OidcErrorCode =
  | "invalid_option"
  | "missing_issuer"
  | "missing_client_id"
  | "insecure_url"
  | "ca_bundle_invalid"
  | "discovery_failed"
  | "issuer_mismatch"
  | "endpoint_invalid"
  | "no_interactive_flow"
  | "callback_port_in_use"
  | "callback_timeout"
  | "callback_invalid"
  | "state_mismatch"
  | "access_denied"
  | "authorization_failed"
  | "device_code_expired"
  | "login_required"
  | "interaction_pending"
  | "subject_changed"
  | "aborted"
  | "token_request_failed"
  | "token_response_invalid"
  | "id_token_invalid"
  | "network"
  | "timeout"
  | "tls"
  | "response_too_large"
  | "redirect_refused"
  | "rate_limited"
  | "cache_insecure"
  | "cache_unreadable"
  | "cache_write_failed"
  | "cache_locked"
  | "store_unavailable"
  | "runtime_unavailable";

const general: ErrorKind = { exitCode: 1, retryable: false };
const usage: ErrorKind = { exitCode: 2, retryable: false };
const needsPerson: ErrorKind = { exitCode: 3, retryable: false };
const refused: ErrorKind = { exitCode: 4, retryable: false };
const timeIsUp: ErrorKind = { exitCode: 5, retryable: false };
const unreachable: ErrorKind = { exitCode: 6, retryable: false };

function retryable(kind: ErrorKind): ErrorKind {
  return { exitCode: kind.exitCode, retryable: true };
}

const kinds: Readonly<Record<OidcErrorCode, ErrorKind>> = {
  // options and files
  invalid_option: usage,
  missing_issuer: usage,
  missing_client_id: usage,
  insecure_url: usage,
  ca_bundle_invalid: usage,
  // the provider
  discovery_failed: general,
  issuer_mismatch: general,
  endpoint_invalid: general,
  no_interactive_flow: general,
  // the sign-in
  callback_port_in_use: retryable(general),
  callback_timeout: timeIsUp,
  callback_invalid: general,
  state_mismatch: general,
  access_denied: refused,
  authorization_failed: general,
  device_code_expired: timeIsUp,
  login_required: needsPerson,
  interaction_pending: retryable(needsPerson),
  subject_changed: general,
  aborted: general,
  // tokens
  token_request_failed: general,
  token_response_invalid: general,
  id_token_invalid: general,
  // network
  network: retryable(unreachable),
  timeout: retryable(unreachable),
  tls: unreachable,
  response_too_large: general,
  redirect_refused: unreachable,
  rate_limited: retryable(unreachable),
  // cache
  cache_insecure: general,
  cache_unreadable: general,
  cache_write_failed: general,
  cache_locked: retryable(timeIsUp),
  store_unavailable: general,
  // this process
  runtime_unavailable: retryable(general),
};

/** Every error code that this version can throw, in the order of the documentation. */
export const errorCodes: readonly OidcErrorCode[] = Object.freeze(
  Object.keys(kinds),
) as readonly OidcErrorCode[];

/** The exit status of the command line for an error code. */
export function exitCodeOf(code: OidcErrorCode): number {
  return kinds[code].exitCode;
}

/** What an {@link OidcError} carries besides its code and message. */
export interface OidcErrorDetails {
  /** A finer stable string, where one is defined for the code. */
  reason?: string | undefined;
  /** The lower error. Only errors without secrets may be given: the HTTP layer strips bodies and headers first. */
  cause?: unknown;
  /** The provider's `error` (RFC 6749 section 5.2). */
  providerError?: string | undefined;
  /** The provider's `error_description`, shortened and without control characters. */
  providerErrorDescription?: string | undefined;
  /** Seconds to wait before another try, for `rate_limited`. */
  retryAfterSeconds?: number | undefined;
}

/** An error as it crosses a process boundary (one process fails, every process that waited for it fails alike). */
export interface SerializedOidcError {
  code: OidcErrorCode;
  message: string;
  reason?: string;
  providerError?: string;
  providerErrorDescription?: string;
  retryAfterSeconds?: number;
}

// Shared by every copy of the package in one process, so that `isOidcError` is true across duplicate installations.
const brand = Symbol.for("latchkey.OidcError");

const longestProviderText = 200;

/**
 * Makes text from outside safe to show: no control, escape or bidirectional formatting characters, and cut
 * (default 200 characters).
 */
export function sanitizeProviderText(text: string, longest: number = longestProviderText): string {
  // C0, DEL, C1, line and paragraph separators, bidirectional controls, zero-width characters, lone surrogates.
  const safe = text
    .slice(0, longest * 4)
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+/gu,
      " ",
    )
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .trim();
  return safe.length > longest ? `${safe.slice(0, longest)}…` : safe;
}

/**
 * The one error class that leaves Latchkey's public functions. Test `code` (and `reason`), never the message.
 */
export class OidcError extends Error {
  override readonly name: string = "OidcError";
  /** A stable string: see the table of error codes in the documentation. */
  readonly code: OidcErrorCode;
  /** True where the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  declare readonly reason?: string;
  declare readonly providerError?: string;
  declare readonly providerErrorDescription?: string;
  declare readonly retryAfterSeconds?: number;

  constructor(code: OidcErrorCode, message: string, given: OidcErrorDetails = {}) {
    const details = ownProperties(given);
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = kinds[code].retryable;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.providerError !== undefined) {
      this.providerError = sanitizeProviderText(details.providerError);
    }
    if (details.providerErrorDescription !== undefined) {
      this.providerErrorDescription = sanitizeProviderText(details.providerErrorDescription);
    }
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
    Object.defineProperty(this, brand, { value: true });
    Object.defineProperty(this, "name", { enumerable: false });
  }

  /** The stable part that a waiting process or a log line may have. */
  serialize(): SerializedOidcError {
    return {
      code: this.code,
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.providerError === undefined ? {} : { providerError: this.providerError }),
      ...(this.providerErrorDescription === undefined
        ? {}
        : { providerErrorDescription: this.providerErrorDescription }),
      ...(this.retryAfterSeconds === undefined
        ? {}
        : { retryAfterSeconds: this.retryAfterSeconds }),
    };
  }

  /** An error from another process made into one of this process. */
  static deserialize(error: SerializedOidcError): OidcError {
    return new OidcError(error.code, error.message, error);
  }
}

/** True for an error of Latchkey, from whichever installed copy of the package. */
export function isOidcError(value: unknown): value is OidcError {
  return typeof value === "object" && value !== null && Object.hasOwn(value, brand);
}

/** True for a string that is one of this version's error codes. */
export function isOidcErrorCode(value: unknown): value is OidcErrorCode {
  return typeof value === "string" && Object.hasOwn(kinds, value);
}
