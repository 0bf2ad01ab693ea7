// The thumbprint of a public key: a name that nobody can give to another key.

import { createHash } from "node:crypto";
import type { PublicKey } from "./public-key.ts";

/** The members that make a key, in the order in which they are hashed (RFC 7638 section 3.2, RFC 8037 section 2). */
const members = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
} as const;

/** The SHA-256 thumbprint of a key, in base64url. @see RFC 7638 */
export function thumbprintOf(key: PublicKey): string {
  const named = Object.fromEntries(members[key.kty].map((name) => [name, key[name]]));
  return createHash("sha256").update(JSON.stringify(named)).digest("base64url");
}
