// The test provider's key, and what it signs with it: RS256, which every client of OpenID Connect knows.

import { generateKeyPair, randomBytes, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { madeOnce } from "../../core/load.ts";

/** A key pair of the test provider. */
export interface SigningKey {
  /** The public half as a key set has it (RFC 7517). */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** A compact JWS (RFC 7515) of claims; `type` is the header member `typ`. */
  signed(claims: Readonly<Record<string, unknown>>, type: string): string;
}

const makeKeyPair = promisify(generateKeyPair);

function segment(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signingKey(privateKey: KeyObject, publicKey: KeyObject): SigningKey {
  const kid = randomBytes(8).toString("hex");
  return {
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" },
    signed: (claims, type) => {
      const text = `${segment({ alg: "RS256", kid, typ: type })}.${segment(claims)}`;
      return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
    },
  };
}

/** The key of this process's test providers: making one takes a tenth of a second. */
export const processKey: () => Promise<SigningKey> = madeOnce(async () => {
  const { privateKey, publicKey } = await makeKeyPair("rsa", { modulusLength: 2048 });
  return signingKey(privateKey, publicKey);
});
