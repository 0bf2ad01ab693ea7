// What a Node.js process must have for Latchkey to work in it.

import { OidcError, type Reason } from "./errors.ts";

function unavailable(
  reason: Reason<"runtime_unavailable">,
  summary: string,
  remedy: string,
): OidcError {
  return new OidcError("runtime_unavailable", summary, { reason, remedy });
}

/** @throws {OidcError} `runtime_unavailable`, reason `crypto_missing`. */
export function assertWebCrypto(): void {
  if (typeof globalThis.crypto === "object") return;
  throw unavailable(
    "crypto_missing",
    "This process has no Web Crypto (the global `crypto`), without which nothing random can be made and nothing be verified.",
    "Start Node.js without --no-experimental-global-webcrypto, and leave that global as it is.",
  );
}
