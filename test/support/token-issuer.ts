// An issuer of access tokens in this process: its key set over HTTP, every request counted. Changes when tests need
// another kind of token.
import { once } from "node:events";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A key pair with its public half as a key set has it. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

/** A new key pair. Default: P-256, the quickest to make. */
export function signingKey(kid: string, kind: "ec" | "rsa" | "ed25519" = "ec"): SigningKey {
  const { publicKey, privateKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ec"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("ed25519");
  const alg = { rsa: "RS256", ec: "ES256", ed25519: "EdDSA" }[kind];
  return { privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" } };
}

function encode(part: unknown): string {
  return Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
}

/** A signed token; a text in place of an object is signed as it stands. */
export function signedToken(
  key: SigningKey,
  header: Readonly<Record<string, unknown>> | string,
  claims: Readonly<Record<string, unknown>> | string,
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const digest = key.jwk["kty"] === "OKP" ? null : "sha256";
  const signature = sign(digest, Buffer.from(signed), {
    key: key.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  return `${signed}.${signature.toString("base64url")}`;
}

/** A running issuer. */
export interface TokenIssuer {
  readonly issuer: string;
  /** The keys that it publishes from now on. */
  publish(...keys: readonly unknown[]): void;
  /** The status that it answers with from now on. Default 200. */
  fail(status: number): void;
  /** Requests for the key set so far. */
  keyRequests(): number;
  /** Every request so far. */
  requests(): number;
  close(): void;
}

/** Starts an issuer that publishes these keys. */
export async function startTokenIssuer(...published: readonly unknown[]): Promise<TokenIssuer> {
  let keys = published;
  let status = 200;
  let requests = 0;
  let keyRequests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const isKeySet = request.url === "/keys";
    if (isKeySet) keyRequests += 1;
    const document = isKeySet ? { keys } : { issuer, jwks_uri: `${issuer}/keys` };
    response.writeHead(isKeySet ? status : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    issuer,
    publish: (...next) => void (keys = next),
    fail: (next) => void (status = next),
    keyRequests: () => keyRequests,
    requests: () => requests,
    close: () => void server.close(),
  };
}
