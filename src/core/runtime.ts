// What a Node.js process must have for Latchkey to work in it. Changes when another part of Node is needed.

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

/** As much of WebAssembly as is asked for here; Node's own types leave it to those of browsers. */
interface MaybeWebAssembly {
  readonly WebAssembly?: { readonly Memory: new (pages: { initial: number }) => object };
}

/** Node's HTTP parser is WebAssembly; where that has no memory, Node ends the process later, by a rejection of its own. */
function hasWebAssembly(): boolean {
  const { WebAssembly } = globalThis as MaybeWebAssembly;
  try {
    return WebAssembly !== undefined && "buffer" in new WebAssembly.Memory({ initial: 1 });
  } catch {
    return false;
  }
}

/**
 * Must come before anything of `fetch` is touched, `Headers` included: that loads the parser.
 * @throws {OidcError} `runtime_unavailable`, reason `webassembly_unavailable`, `fetch_missing` or `crypto_missing`.
 */
export function assertHttpRuntime(): void {
  if (!hasWebAssembly()) {
    throw unavailable(
      "webassembly_unavailable",
      "The HTTP client of Node.js needs WebAssembly, which this process cannot use: it was started with --jitless, or with a limit on its address space (ulimit -v). " +
        "Nothing was sent.",
      "Start it without; memory can be limited by --max-old-space-size or a control group instead.",
    );
  }
  if (typeof globalThis.fetch !== "function") {
    throw unavailable(
      "fetch_missing",
      "This process has no built-in `fetch`, by which Latchkey sends its requests. Nothing was sent.",
      "Start Node.js without --no-experimental-fetch, and leave that global as it is.",
    );
  }
  assertWebCrypto();
}
