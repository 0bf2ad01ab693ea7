// The frame of a gRPC message in the body of a request or an answer.

import { maxServerMessageBytes } from "../core/limits.ts";

const prefixBytes = 5;

/** One message in its frame, not compressed. */
export function frameOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/**
 * The only message of a body.
 * @throws {TypeError} for any other body: one that is cut off, compressed, too long, or holds several.
 */
export function messageIn(body: Uint8Array): Buffer {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isWhole =
    bytes.length >= prefixBytes &&
    bytes[0] === 0 &&
    bytes.readUInt32BE(1) === bytes.length - prefixBytes;
  if (!isWhole || bytes.length - prefixBytes > maxServerMessageBytes) {
    throw new TypeError("not one message");
  }
  return bytes.subarray(prefixBytes);
}
