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

/** True for an error that arose before anything of the request was sent. */
export function wasNeverSent(error: unknown): boolean {
  if (!isOidcError(error)) return false;
  // A part that could not be loaded: everything that follows a request is loaded before it.
  if (error.code === "tls" || error.code === "runtime_unavailable") return true;
  const isTransport = error.code === "network" || error.code === "timeout";
  return isTransport && unsentReasons.has(error.reason ?? "");
}
