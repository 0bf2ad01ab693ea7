// Access tokens as an issuer of each kind of key signs them, and as others would like to. Changes when tests need another
// kind of key.
import { constants, generateKeyPairSync, sign } from "node:crypto";
import { createManualClock } from "./manual-clock.ts";
import { playedAudience, playedIssuer } from "./played-issuer.ts";

export type Members = Readonly<Record<string, unknown>>;
export type Encoded = string | Uint8Array | Members;

export const encode = (part: Encoded): string =>
  Buffer.from(
    typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part),
  ).toString("base64url");

export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
export const algorithms = {
  RS256: { ...rsa, digest: "sha256", options: {} },
  PS256: { ...rsa, digest: "sha256", options: pss },
  ES256: { ...generateKeyPairSync("ec", { namedCurve: "P-256" }), digest: "sha256", options: {} },
  ES384: { ...generateKeyPairSync("ec", { namedCurve: "P-384" }), digest: "sha384", options: {} },
  ES512: { ...generateKeyPairSync("ec", { namedCurve: "P-521" }), digest: "sha512", options: {} },
  EdDSA: { ...generateKeyPairSync("ed25519"), digest: null, options: {} },
} as const;
export type Algorithm = keyof typeof algorithms;
/** All of them. */
export const names = Object.keys(algorithms) as Algorithm[];
export const published = names.map((alg) => ({
  ...algorithms[alg].publicKey.export({ format: "jwk" }),
  kid: alg,
  alg,
  use: "sig",
}));

/** When the tokens are made, in seconds since the epoch: the time of a played verifier. */
export const now: number = createManualClock().now() / 1000;

export function claims(more: Members = {}): Members {
  const usual = { iss: playedIssuer, aud: playedAudience, sub: "alice", iat: now, exp: now + 600 };
  return { ...usual, client_id: "cli", scope: "read", ...more };
}

export function signatureOf(alg: Algorithm, text: string): Buffer {
  const { digest, privateKey: key, options } = algorithms[alg];
  return sign(digest, Buffer.from(text), { key, dsaEncoding: "ieee-p1363", ...options });
}

/** A token as this header and these claims have it, signed by the issuer's key. */
export function signed(alg: Algorithm, header: Encoded, payload: Encoded): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${signatureOf(alg, text).toString("base64url")}`;
}

export const headerOf = (alg: Algorithm, more: Members = {}): Members => ({
  alg,
  kid: alg,
  typ: "at+jwt",
  ...more,
});
export const token = (alg: Algorithm, more: Members = {}, header: Members = {}): string =>
  signed(alg, headerOf(alg, header), claims(more));

/** The segments of a good token, each of which can be replaced; the signature is not made anew. */
export function spoiled(
  alg: Algorithm,
  change: (parts: [string, string, string]) => readonly string[],
): string {
  return change(token(alg).split(".") as [string, string, string]).join(".");
}

export function withSignature(alg: Algorithm, change: (signature: Buffer) => Uint8Array): string {
  return spoiled(alg, ([header, payload, signature]) => [
    header,
    payload,
    encode(change(Buffer.from(signature, "base64url"))),
  ]);
}

/** A good text in another alphabet or with more in it, and signed as it stands. */
export function signedText(alg: Algorithm, header: string, payload: string): string {
  const text = `${header}.${payload}`;
  return `${text}.${signatureOf(alg, text).toString("base64url")}`;
}
