// How a gRPC call ended: its status, and what it means as an error.

import { OidcError } from "../core/errors.ts";
import { option, say, type Wording } from "../core/wording.ts";
import type { HttpAnswer } from "../http/exchange.ts";

/** What a server says at the end of a call. */
export interface GrpcStatus {
  /** 0 is success. */
  readonly code: number;
  /** The server's own words, not yet safe to show. */
  readonly message: string;
}

/** The server has no such method. */
export const unimplemented = 12;
/** The caller's token, or its session, is not taken. */
export const unauthenticated = 16;

const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];
/** What to do where a server does not say which provider to use. */
export const askWhoeverRunsIt: Wording = say`Ask whoever runs the server for the issuer and the client, and set ${option("issuer")} and ${option("clientId")}.`;

const deadlineExceeded = 4;
const resourceExhausted = 8;
const unavailable = 14;

/** @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md "Status-Message" */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The status of an answer: in its trailers, or in the head where there is nothing else. Undefined where it has none. */
export function statusOf({ headers, trailers }: HttpAnswer): GrpcStatus | undefined {
  const fields = trailers?.["grpc-status"] === undefined ? headers : trailers;
  const code = fields["grpc-status"] ?? "";
  if (!/^\d{1,3}$/.test(code)) return undefined;
  return { code: Number(code), message: percentDecoded(fields["grpc-message"] ?? "") };
}

/** The error for a call that ended with another status than success. */
export function statusError({ code, message }: GrpcStatus, host: string, step: string): OidcError {
  const name = names[code] ?? String(code);
  const summary = `${host} ended the call with ${name} (${step}).`;
  const again = { remedy: "Try again later.", quote: message };
  if (code === deadlineExceeded) {
    return new OidcError("timeout", summary, { ...again, reason: "operation" });
  }
  if (code === resourceExhausted) return new OidcError("rate_limited", summary, again);
  if (code === unavailable) {
    return new OidcError("network", summary, { ...again, reason: "temporarily_unavailable" });
  }
  return new OidcError("server_config_failed", summary, {
    reason: "server_error",
    remedy: askWhoeverRunsIt,
    quote: message,
  });
}
