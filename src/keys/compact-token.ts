// Takes a compact JWS apart: size and shape first, then each segment. Nothing of it is believed by that.

import { longestTokenCharacters } from "../core/limits.ts";
import { parsePlainJson } from "../core/plain-json.ts";
import { hasDuplicateMembers } from "./duplicate-members.ts";

/** A token that has the form of a compact JWS. */
export interface CompactToken {
  /** What the header claims to be signed with; it is only compared, never obeyed. */
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
  /** The octets that the signature is about (RFC 7515 section 5.1). */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Undefined where a text has more than one spelling: two tokens that differ must not mean the same. */
function decodeSegment(segment: string): Buffer | undefined {
  const rest = segment.length % 4;
  if (rest === 1) return undefined;
  // RFC 4648 section 3.5: "pad bits MUST be set to zero by conforming encoders".
  const padding = rest === 2 ? 0b1111 : rest === 3 ? 0b11 : 0;
  if ((alphabet.indexOf(segment.at(-1) ?? "A") & padding) !== 0) return undefined;
  return Buffer.from(segment, "base64url");
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

/**
 * The parts of a compact JWS; undefined where it is not one, or where it wants to be read in a way that is not known
 * here. `jku`, `jwk`, `x5u` and `x5c` are never looked at: a token does not say which key is right.
 * @see RFC 7515 section 5.2, RFC 8725 section 3
 */
export function parseCompactToken(token: string): CompactToken | undefined {
  // Nothing is decoded, split or hashed that could not be a signed token.
  if (token.length > longestTokenCharacters || !compactForm.test(token)) return undefined;
  const end = token.lastIndexOf(".");
  const [header, payload, signature] = token.split(".").map(decodeSegment);
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const members = parseObject(header);
  if (members === undefined) return undefined;
  const { alg, kid, crit, b64 } = members;
  if (typeof alg !== "string") return undefined;
  // RFC 7515 section 4.1.11: an extension that is not understood makes the token invalid; none is understood here.
  if (crit !== undefined) return undefined;
  // RFC 7797 section 7: a JWT must not use it. Whoever heeds it signs other octets than the ones that are read here.
  if (b64 !== undefined && b64 !== true) return undefined;
  return {
    algorithm: alg,
    keyId: typeof kid === "string" ? kid : undefined,
    header: members,
    payload,
    signed: Buffer.from(token.slice(0, end), "latin1"),
    signature,
  };
}

/** The payload as claims (RFC 7519 section 3); undefined where it is not a JSON object. */
export function claimsOf({
  payload,
}: Pick<CompactToken, "payload">): Readonly<Record<string, unknown>> | undefined {
  return parseObject(payload);
}
