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
}

/** Headers of tokens that were accepted: a signer writes the same one into all of its tokens. */
export interface KnownHeaders {
  /** By its text. */
  get(text: string): JoseHeader | undefined;
}

/**
 * Writes the octets of a segment, and gives how many; undefined where a text has more than one spelling: two tokens that
 * differ must not mean the same.
 */
function decodeSegment(segment: string, into: Buffer, at: number): number | undefined {
  const length = into.write(segment, at, "base64url");
  // Node leaves out what is not of the alphabet, and does not look at the bits that are left over. RFC 4648 section 3.5:
  // "pad bits MUST be set to zero by conforming encoders".
  return into.toString("base64url", at, at + length) === segment ? length : undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = utf8.decode(bytes);
    const value = parsePlainJson(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (hasDuplicateMembers(text, bytes, value)) return undefined;
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

/** The text of a token's header, as it stands in the token. */
export function headerTextOf(token: string): string {
  return token.slice(0, token.indexOf("."));
}

/**
 * The parts of a compact JWS; undefined where it is not one, or where it wants to be read in a way that is not known
 * here. `jku`, `jwk`, `x5u` and `x5c` are never looked at: a token does not say which key is right.
 * @see RFC 7515 section 5.2, RFC 8725 section 3
 */
export function parseCompactToken(token: string, known?: KnownHeaders): CompactToken | undefined {
  if (token.length > maxTokenCharacters) return undefined;
  const headerText = headerTextOf(token);
  const middle = token.indexOf(".", headerText.length + 1);
  // A dot further on is not of the alphabet.
  if (middle === -1) return undefined;
  const header = known?.get(headerText) ?? parseHeader(headerText);
  if (header === undefined) return undefined;
  // One piece of memory for all: to get three takes as long as to decode them.
  const octets = Buffer.allocUnsafe(token.length + middle);
  octets.write(token.slice(0, middle), "latin1");
  const payload = decodeSegment(token.slice(headerText.length + 1, middle), octets, middle);
  if (payload === undefined) return undefined;
  const end = middle + payload;
  const signature = decodeSegment(token.slice(middle + 1), octets, end);
  if (signature === undefined) return undefined;
  return {
    algorithm: header.algorithm,
    keyId: header.keyId,
    header: header.members,
    payload: octets.subarray(middle, end),
    signed: octets.subarray(0, middle),
    signature: octets.subarray(end, end + signature),
  };
}

/** The payload as claims (RFC 7519 section 3); undefined where it is not a JSON object. */
export function claimsOf({
  payload,
}: Pick<CompactToken, "payload">): Readonly<Record<string, unknown>> | undefined {
  return parseObject(payload);
}
