// Takes a compact JWS apart: size and shape first, then each segment. Nothing of it is believed by that.

import { maxTokenCharacters } from "../core/limits.ts";
import { parsePlainJson } from "../core/plain-json.ts";
import { hasDuplicateMembers } from "./duplicate-members.ts";

/** A header that says nothing that cannot be heeded here. */
export interface JoseHeader {
  /** What the token claims to be signed with; it is only compared, never obeyed. */
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;
}

/** A token that has the form of a compact JWS. */
export interface CompactToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
  /** The octets that the signature is about (RFC 7515 section 5.1). */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** Whether the header is one of those that were known already. */
  readonly isHeaderKnown: boolean;
}

/** Headers of tokens that were accepted: a signer writes the same one into all of its tokens. */
export interface KnownHeaders {
  /** By the text at the beginning of a token, up to `end`. */
  get(token: string, end: number): JoseHeader | undefined;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The six bits that each character of the alphabet stands for, by its code. */
const bitsOf = new Uint8Array(128);
for (let bits = 0; bits < alphabet.length; bits += 1) bitsOf[alphabet.charCodeAt(bits)] = bits;
/** The bits of the last character that are no part of an octet, by how many characters there are beyond groups of four. */
const leftOverBits = [0, 0, 0b1111, 0b11];

/**
 * Writes the octets of a segment, and gives how many; undefined where it is not the one text that they are written as:
 * two tokens that differ must not mean the same. The text is ASCII, without the characters "+" and "/".
 */
function decodeSegment(segment: string, into: Buffer, at: number): number | undefined {
  const { length } = segment;
  const beyond = length & 3;
  if (beyond === 1) return undefined;
  // RFC 4648 section 3.5: "pad bits MUST be set to zero by conforming encoders". Node does not look at them.
  const last = bitsOf[segment.charCodeAt(length - 1)] ?? 0;
  if ((last & (leftOverBits[beyond] ?? 0)) !== 0) return undefined;
  // Node leaves out what is not of the alphabet, and then there are fewer octets. To encode them again and compare took
  // half as long again.
  const octets = (length * 3) >> 2;
  return into.write(segment, at, octets, "base64url") === octets ? octets : undefined;
}

/** Of the characters that Node does not leave out these are not of the alphabet of RFC 4648 section 5. */
function hasOtherAlphabet(text: string): boolean {
  // `includes` takes twice as long.
  return text.indexOf("+") !== -1 || text.indexOf("/") !== -1;
}

/** Memory for the octets of many tokens: to get some for each one takes as long as half of its decoding. */
let memory = Buffer.alloc(0);
let memoryUsed = 0;
const memoryOctets = 32 * 1024;

/** Where in {@link memory} so many octets are free. They are used once, and go when the last token does that has some. */
function reserve(octets: number): number {
  if (memoryUsed + octets > memory.length) {
    memory = Buffer.allocUnsafeSlow(Math.max(octets, memoryOctets));
    memoryUsed = 0;
  }
  const start = memoryUsed;
  memoryUsed += octets;
  return start;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = utf8.decode(bytes);
    const value = parsePlainJson(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (hasDuplicateMembers(text, value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function parseHeader(text: string): JoseHeader | undefined {
  const octets = Buffer.allocUnsafe(text.length);
  const length = decodeSegment(text, octets, 0);
  const members = length === undefined ? undefined : parseObject(octets.subarray(0, length));
  if (members === undefined) return undefined;
  const { alg, kid, crit, b64 } = members;
  if (typeof alg !== "string") return undefined;
  // RFC 7515 section 4.1.11: an extension that is not understood makes the token invalid; none is understood here.
  if (crit !== undefined) return undefined;
  // RFC 7797 section 7: a JWT must not use it. Whoever heeds it signs other octets than the ones that are read here.
  if (b64 !== undefined && b64 !== true) return undefined;
  return { algorithm: alg, keyId: typeof kid === "string" ? kid : undefined, members };
}

/**
 * The parts of a compact JWS; undefined where it is not one, or where it wants to be read in a way that is not known
 * here. `jku`, `jwk`, `x5u` and `x5c` are never looked at: a token does not say which key is right.
 * @see RFC 7515 section 5.2, RFC 8725 section 3
 */
export function parseCompactToken(token: string, known?: KnownHeaders): CompactToken | undefined {
  const { length } = token;
  if (length > maxTokenCharacters || hasOtherAlphabet(token)) return undefined;
  const headerEnd = token.indexOf(".");
  const middle = token.indexOf(".", headerEnd + 1);
  // A dot further on is not of the alphabet.
  if (headerEnd === -1 || middle === -1) return undefined;
  // Four octets more than there are characters, so that a text with a character of several octets never fills as many as
  // it has characters.
  const mostSigned = length + 4;
  const start = reserve(mostSigned + middle - headerEnd);
  const octets = memory;
  if (octets.write(token, start, mostSigned, "utf8") !== length) return undefined;
  const knownHeader = known?.get(token, headerEnd);
  const header = knownHeader ?? parseHeader(token.slice(0, headerEnd));
  if (header === undefined) return undefined;
  // In the place of its text, which is longer.
  const atSignature = start + middle;
  const signature = decodeSegment(token.slice(middle + 1), octets, atSignature);
  if (signature === undefined) return undefined;
  const atPayload = start + mostSigned;
  const payload = decodeSegment(token.slice(headerEnd + 1, middle), octets, atPayload);
  if (payload === undefined) return undefined;
  return {
    algorithm: header.algorithm,
    keyId: header.keyId,
    header: header.members,
    payload: octets.subarray(atPayload, atPayload + payload),
    signed: octets.subarray(start, atSignature),
    signature: octets.subarray(atSignature, atSignature + signature),
    isHeaderKnown: knownHeader !== undefined,
  };
}

/** The payload as claims (RFC 7519 section 3); undefined where it is not a JSON object. */
export function claimsOf({
  payload,
}: Pick<CompactToken, "payload">): Readonly<Record<string, unknown>> | undefined {
  return parseObject(payload);
}
