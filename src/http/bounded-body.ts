// Reading an answer's body within a bound on decoded bytes. Changes when a content coding is added or the bound's rule.

import { OidcError } from "../core/errors.ts";
import { longestResponseBytes } from "../core/limits.ts";

// What the built-in fetch decodes on every supported version of Node; anything else would reach the parser encoded.
const decoded: ReadonlySet<string> = new Set(["", "identity", "gzip", "x-gzip", "deflate", "br"]);

/** Stops a body that nobody will read, and with it the connection. */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/** The error for an answer beyond the limit. */
export function tooLarge(place: string): OidcError {
  return new OidcError(
    "response_too_large",
    `${place} sent more than ${longestResponseBytes} bytes and was cut off. No honest answer is so long: is this the ` +
      `address of an OpenID Provider?`,
  );
}

/**
 * The whole body, counted after decoding: a small compressed body may hold gigabytes, and `Content-Length` may lie.
 * @param place how messages name the sender: "id.example.com:443 (discovery)".
 * @throws {OidcError} `response_too_large` beyond the limit of 1 MiB; the same with reason `content_encoding` for an
 * encoding that is unknown or applied more than once, because the limit could not be held step by step.
 */
export async function readBoundedBody(
  response: Response,
  place: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = (response.headers.get("content-encoding") ?? "").trim().toLowerCase();
  if (!decoded.has(encoding)) {
    discardBody(response);
    throw new OidcError(
      "response_too_large",
      `${place} answered with a content encoding that Latchkey does not unpack (an unknown one, or several on top of ` +
        `each other), although none was asked for. A proxy in between may do this; ask whoever runs it.`,
      { reason: "content_encoding" },
    );
  }
  if (response.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total > longestResponseBytes) {
      // Not awaited: a server that never lets go must not hold the caller.
      reader.cancel().catch(() => {});
      throw tooLarge(place);
    }
    chunks.push(value);
  }
  const body = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}
