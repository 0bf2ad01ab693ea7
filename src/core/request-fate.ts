// Whether a request that failed can have reached its server. Changes when a failure before sending gets another name.

import { isOidcError } from "./errors.ts";

const unsentReasons: ReadonlySet<string> = new Set([
  "blocked_port",
  "refused",
  "dns",
  "connect",
  "proxy_authentication",
  "proxy_refused",
]);

// Of requests that came before the one in question, whatever became of those.
const markedUnsent = new WeakSet<object>();

/** Marks an error of what had to be known before a request, so that it does not count as that request's. */
export function markUnsent(error: unknown): unknown {
  if (typeof error === "object" && error !== null) markedUnsent.add(error);
  return error;
}

/** True for an error that arose before anything of the request was sent. */
export function wasNeverSent(error: unknown): boolean {
  if (!isOidcError(error)) return false;
  if (markedUnsent.has(error)) return true;
  // A part that could not be loaded: everything that follows a request is loaded before it.
  if (error.code === "tls" || error.code === "runtime_unavailable") return true;
  const isTransport = error.code === "network" || error.code === "timeout";
  return isTransport && unsentReasons.has(error.reason ?? "");
}
