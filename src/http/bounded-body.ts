// Reading an answer's body within a bound, before and after decoding.

import type { InputType, ZlibOptions } from "node:zlib";
import { OidcError } from "../core/errors.ts";
import { maxResponseBytes } from "../core/limits.ts";
import type { TransportAnswer } from "../core/world.ts";
import { WireFailure } from "./wire-failure.ts";

// The limit on decoded bytes, and room for what an encoding adds to bytes that it cannot shrink.
const maxEncodedBytes = maxResponseBytes + 64 * 1024;

type Decode = (body: InputType, options: ZlibOptions) => Uint8Array;

const zlib = () => process.getBuiltinModule("node:zlib");

// RFC 9110 section 8.4.1.2: "deflate" has the zlib format; "some non-conformant implementations send the "deflate"
// compressed data without the zlib wrapper", whose first byte says "deflate" in its lower half.
const inflateEither: Decode = (body, options) =>
  ((body as Uint8Array)[0] ?? 0) % 16 === 8
    ? zlib().inflateSync(body, options)
    : zlib().inflateRawSync(body, options);
const gunzip: Decode = (body, options) => zlib().gunzipSync(body, options);

// None is asked for; these are what proxies and providers send all the same. Undefined: as it is.
const decoders: ReadonlyMap<string, Decode | undefined> = new Map([
  ["", undefined],
  ["identity", undefined],
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflateEither],
  ["br", (body, { maxOutputLength }) => zlib().brotliDecompressSync(body, { maxOutputLength })],
]);

/** The error for an answer beyond the limit. */
export function tooLarge(place: string): OidcError {
  return new OidcError(
    "response_too_large",
    `${place} sent more than ${maxResponseBytes} bytes and was cut off. No honest answer is as long as that.`,
    { remedy: "Is this the address of an OpenID Provider?" },
  );
}

/** The body as it was sent. Leaving the loop ends the connection. */
async function readEncoded(answer: TransportAnswer, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of answer.body) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new WireFailure("response_too_large");
    chunks.push(chunk);
  }
  const body = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

/**
 * The whole body, counted before and after decoding: a small compressed body may hold gigabytes, and `Content-Length`
 * may lie.
 * @param place how messages name the sender: "id.example.com:443 (discovery)".
 * @throws {OidcError} `response_too_large` with reason `content_encoding` for an encoding that is unknown or applied
 * more than once. @throws {WireFailure} `response_too_large` beyond the limit of 1 MiB; else what Node says.
 */
export async function readBoundedBody(answer: TransportAnswer, place: string): Promise<Uint8Array> {
  const encoding = (answer.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (!decoders.has(encoding)) {
    answer.discard();
    throw new OidcError(
      "response_too_large",
      `${place} answered with a content encoding that Latchkey does not unpack (an unknown one, or several on top of ` +
        `each other), although none was asked for. A proxy in between may do this; ask whoever runs it.`,
      { reason: "content_encoding" },
    );
  }
  const decode = decoders.get(encoding);
  if (decode === undefined) return readEncoded(answer, maxResponseBytes);
  const encoded = await readEncoded(answer, maxEncodedBytes);
  if (encoded.byteLength === 0) return encoded;
  try {
    return decode(encoded, { maxOutputLength: maxResponseBytes });
  } catch (error) {
    const isTooLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw isTooLong ? new WireFailure("response_too_large") : error;
  }
}
