// Tokens that are bound to a key or a certificate: who may use them, and what everybody else is told.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOfToken, proofOf, publicHalf } from "../../test/support/proof-of-possession.ts";
import {
  signedToken,
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../test/support/token-issuer.ts";
import { isOidcError } from "../core/errors.ts";
import { parseKeySet } from "../keys/public-key.ts";
import { thumbprintOf } from "../keys/thumbprint.ts";
import type { Refusal } from "./refusal.ts";
import type {
  Identity,
  ResourceServer,
  ResourceServerOptions,
  VerifyOptions,
} from "./resource-server-types.ts";
import { createResourceServer } from "./resource-server.ts";

const audience = "https://api.example.com";
const url = `${audience}/things/7`;
const key = signingKey("one");
const client = signingKey("client");
const rsaClient = signingKey("client", "rsa");
const stranger = signingKey("stranger");
let issuer: TokenIssuer;
let server: ResourceServer;
beforeAll(async () => {
  issuer = await startTokenIssuer(key.jwk);
  server = make();
});
afterAll(() => issuer.close());

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return createResourceServer({ issuer: issuer.issuer, audience, ...options });
}

function jkt(of = client): string {
  const [parsed] = parseKeySet({ keys: [of.jwk] }) ?? [];
  if (parsed === undefined) throw new Error("not a key");
  return thumbprintOf(parsed);
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

type Claims = Readonly<Record<string, unknown>>;

/** Bound to the client's key, where nothing else is said; null: to nothing. */
function token(cnf: unknown = { jkt: jkt() }): string {
  return signedToken(
    key,
    { alg: "ES256", kid: "one", typ: "at+jwt" },
    {
      iss: issuer.issuer,
      aud: audience,
      sub: "alice",
      exp: nowSeconds() + 600,
      scope: "read",
      ...(cnf === null ? {} : { cnf }),
    },
  );
}

function proof(text: string, claims: Claims = {}, header: Claims = {}, by = client): string {
  return proofOf(by, text, { htm: "GET", htu: url, ...claims }, header);
}

function request(...proofs: readonly string[]): VerifyOptions {
  return { scheme: "DPoP", method: "GET", url, headers: { dpop: proofs } };
}

async function refusalOf(work: Promise<Identity>): Promise<Refusal> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("it was not refused", { cause: error });
  return error as Refusal;
}

async function reasonOf(work: Promise<Identity>): Promise<string | undefined> {
  const { code, reason, status } = await refusalOf(work);
  expect([code, status]).toEqual(["invalid_token", 401]);
  return reason;
}

describe("DPoP", () => {
  test.each([
    ["EC", client],
    ["RSA", rsaClient],
  ])("a token with a proof by its %s key is accepted", async (_name, by) => {
    const text = token({ jkt: jkt(by) });
    const identity = await server.verify(text, request(proof(text, {}, {}, by)));
    expect(identity.subject).toBe("alice");
  });

  test("the address: query and fragment do not count, nor how it is written", async () => {
    const text = token();
    const at = (htu: string, asked: string) =>
      server.verify(text, { ...request(proof(text, { htu })), url: asked });
    expect((await at("https://API.example.com:443/things/%37", `${url}?a=b#c`)).subject).toBe(
      "alice",
    );
    expect((await at(`${audience}/a%2fb/~x`, `${audience}/a%2Fb/%7ex`)).subject).toBe("alice");
    // A path is one of the server's own: its address is known from the options (K22).
    expect((await at(url, "/things/7?a=b")).subject).toBe("alice");
    expect(await reasonOf(at("https://evil.example.com/x", "//evil.example.com/x"))).toBe(
      "proof_request",
    );
    expect(await reasonOf(at(`${audience}/a/b`, `${audience}/a%2fb`))).toBe("proof_request");
    const unnamed = make({ audience: "api" });
    const bare = signedToken(
      key,
      { alg: "ES256", kid: "one", typ: "at+jwt" },
      { iss: issuer.issuer, aud: "api", sub: "a", exp: nowSeconds() + 60, cnf: { jkt: jkt() } },
    );
    expect(
      await reasonOf(unnamed.verify(bare, { ...request(proof(bare)), url: "/things/7" })),
    ).toBe("proof_request");
  });

  test("headers of the Fetch API, and of Node in any case of letters", async () => {
    const text = token();
    const by = (headers: VerifyOptions["headers"]) =>
      server.verify(text, { ...request(), ...(headers === undefined ? {} : { headers }) });
    expect((await by(new Headers({ DPoP: proof(text) }))).subject).toBe("alice");
    expect((await by({ DPoP: proof(text) })).subject).toBe("alice");
    const two = await refusalOf(by({ dpop: `${proof(text)}, ${proof(text)}` }));
    expect([two.code, two.reason, two.status]).toEqual(["invalid_request", "several_proofs", 400]);
    const twice = new Headers({ dpop: proof(text) });
    twice.append("dpop", proof(text));
    expect((await refusalOf(by(twice))).reason).toBe("several_proofs");
  });

  test.each([
    ["K31", "another method", "proof_request", { htm: "POST" }, {}],
    ["K31", "a method in other letters", "proof_request", { htm: "get" }, {}],
    ["K31", "another path", "proof_request", { htu: `${audience}/things/8` }, {}],
    ["K31", "another host", "proof_request", { htu: "https://evil.example.com/things/7" }, {}],
    ["K31", "another scheme", "proof_request", { htu: url.replace("https", "http") }, {}],
    ["K31", "an address that is a number", "proof_request", { htu: 7 }, {}],
    ["K31", "for another token", "proof_token", { ath: hashOfToken("x") }, {}],
    ["K31", "for no token", "proof_token", { ath: undefined }, {}],
    ["K32", "two minutes old", "proof_time", { iat: nowSeconds() - 121 }, {}],
    ["K32", "from the future", "proof_time", { iat: nowSeconds() + 90 }, {}],
    ["K32", "a time that is text", "proof_time", { iat: String(nowSeconds()) }, {}],
    ["K32", "no time", "proof_time", { iat: undefined }, {}],
    ["K32", "no jti", "proof_malformed", { jti: undefined }, {}],
    ["K32", "an empty jti", "proof_malformed", { jti: "" }, {}],
    ["K32", "an endless jti", "proof_malformed", { jti: "x".repeat(2000) }, {}],
    ["K33", "another typ", "proof_malformed", {}, { typ: "at+jwt" }],
    ["K33", "no typ", "proof_malformed", {}, { typ: undefined }],
    ["K33", "alg none", "proof_malformed", {}, { alg: "none" }],
    ["K33", "a shared secret", "proof_malformed", {}, { alg: "HS256" }],
    ["K33", "no key", "proof_malformed", {}, { jwk: undefined }],
    ["K33", "a key that is a list", "proof_malformed", {}, { jwk: [1] }],
    ["K33", "crit", "proof_malformed", {}, { crit: ["x"] }],
    ["K33", "too long", "proof_malformed", { x: "x".repeat(9000) }, {}],
    ["K33", "another algorithm of the key's kind", "proof_signature", {}, { alg: "ES384" }],
  ] as const)("[%s] refused: %s", async (_id, _name, reason, claims, header) => {
    const text = token();
    const work = server.verify(text, request(proof(text, claims, header)));
    expect(await reasonOf(work)).toBe(reason);
  });

  test("[K33] a private key in a proof is refused, even with a good signature", async () => {
    const text = token();
    const { d } = client.privateKey.export({ format: "jwk" });
    const work = server.verify(
      text,
      request(proof(text, {}, { jwk: { ...publicHalf(client), d } })),
    );
    expect(await reasonOf(work)).toBe("proof_malformed");
  });

  test("[K30] a proof by another key, and one that only names the right key", async () => {
    const text = token();
    const theirs = server.verify(text, request(proof(text, {}, {}, stranger)));
    expect(await reasonOf(theirs)).toBe("proof_key");
    const forged = proof(text, {}, { jwk: publicHalf(client) }, stranger);
    expect(await reasonOf(server.verify(text, request(forged)))).toBe("proof_signature");
  });

  test("[K32] a proof counts once, and only its own token's key spends it", async () => {
    const text = token();
    const once = proof(text, { jti: "mine" });
    expect((await server.verify(text, request(once))).subject).toBe("alice");
    expect(await reasonOf(server.verify(text, request(once)))).toBe("proof_replayed");
    const again = proof(text, { jti: "mine" });
    expect(await reasonOf(server.verify(text, request(again)))).toBe("proof_replayed");
    const other = token({ jkt: jkt(rsaClient) });
    const same = proof(other, { jti: "mine" }, {}, rsaClient);
    expect((await server.verify(other, request(same))).subject).toBe("alice");
    // What was refused did not spend its name.
    const refused = proof(text, { jti: "later", htm: "POST" });
    expect(await reasonOf(server.verify(text, request(refused)))).toBe("proof_request");
    const good = proof(text, { jti: "later" });
    expect((await server.verify(text, request(good))).subject).toBe("alice");
  });

  test("[K19] [K30] a bound token without its proof, under either scheme", async () => {
    const text = token();
    const bearer = await refusalOf(server.verify(text));
    expect([bearer.reason, bearer.status]).toEqual(["key_bound", 401]);
    expect(bearer.challenge).toMatch(/^DPoP error="invalid_token", .*algs="[^"]*\bES256\b/);
    expect(await reasonOf(server.verify(text, { ...request(proof(text)), scheme: "bearer" }))).toBe(
      "key_bound",
    );
    const bare = await refusalOf(server.verify(text, request()));
    expect(bare.reason).toBe("proof_missing");
    expect(bare.challenge).toMatch(
      /^DPoP error="invalid_dpop_proof", resource_metadata="[^"]+", algs="[^"]*ES256/,
    );
    expect(
      await reasonOf(server.verify(text, { scheme: "DPoP", headers: { dpop: proof(text) } })),
    ).toBe("proof_request");
  });

  test("[K30] a token of anybody gains nothing by a proof", async () => {
    const text = token(null);
    expect((await server.verify(text)).subject).toBe("alice");
    expect(await reasonOf(server.verify(text, request(proof(text))))).toBe("not_bound");
  });

  test.each([
    ["a text", "x"],
    ["a list", []],
    ["a key that is a number", { jkt: 7 }],
    ["a kind that is not known", { jwk: {} }],
  ])("[K19] cnf that is %s is bound to what nobody can show", async (_name, cnf) => {
    const text = token(cnf);
    expect(await reasonOf(server.verify(text))).toBe("key_bound");
    expect(await reasonOf(server.verify(text, request(proof(text))))).toBe("key_bound");
  });

  test("required: no bearer token, and the challenge says so", async () => {
    const at = make({ dpop: "required" });
    const text = token();
    expect((await at.verify(text, request(proof(text)))).subject).toBe("alice");
    const bearer = await refusalOf(at.verify(token(null)));
    expect([bearer.reason, bearer.challenge?.slice(0, 5)]).toEqual(["scheme", "DPoP "]);
    const none = await refusalOf(at.verifyRequest({ authorization: [], url: "/" }));
    expect(none.challenge).toMatch(/^DPoP .*algs="/);
  });

  test("refused: no proof helps", async () => {
    const at = make({ dpop: "refused" });
    const text = token();
    expect(await reasonOf(at.verify(text, request(proof(text))))).toBe("scheme");
    const bearer = await refusalOf(at.verify(text));
    expect([bearer.reason, bearer.challenge?.slice(0, 7)]).toEqual(["key_bound", "Bearer "]);
  });

  test("scopes and step-up are asked of it, too, in a challenge of its scheme", async () => {
    const text = token();
    const narrow = await refusalOf(
      server.verify(text, { ...request(proof(text)), requiredScopes: ["write"] }),
    );
    expect([narrow.status, narrow.challenge?.slice(0, 5)]).toEqual([403, "DPoP "]);
    const old = await refusalOf(
      server.verify(text, { ...request(proof(text)), maxAgeSeconds: 60 }),
    );
    expect(old.challenge).toMatch(/^DPoP error="insufficient_user_authentication", max_age="60"/);
  });
});

describe("[K34] nonces", () => {
  test("a proof without the server's nonce is told which one to use, and then accepted", async () => {
    const at = make({ dpopNonces: true });
    const text = token();
    const refused = await refusalOf(at.verify(text, request(proof(text))));
    expect([refused.reason, refused.status]).toEqual(["proof_nonce", 401]);
    expect(refused.challenge).toMatch(/^DPoP error="use_dpop_nonce", .*algs="/);
    const nonce = refused.dpopNonce;
    expect(nonce).toMatch(/^[\w-]{22}$/);
    expect(nonce).toBe(at.dpopNonce);
    expect((await at.verify(text, request(proof(text, { nonce })))).subject).toBe("alice");
    for (const other of ["x".repeat(22), 7, make({ dpopNonces: true }).dpopNonce]) {
      const work = at.verify(text, request(proof(text, { nonce: other })));
      expect(await reasonOf(work)).toBe("proof_nonce");
    }
  });

  test("processes that share a secret accept each other's", async () => {
    const dpopNonces = new Uint8Array(32).fill(7);
    const text = token();
    const nonce = make({ dpopNonces }).dpopNonce;
    const at = make({ dpopNonces });
    expect((await at.verify(text, request(proof(text, { nonce })))).subject).toBe("alice");
    expect(server.dpopNonce).toBeUndefined();
  });
});

describe("[K35] certificates", () => {
  const der = Buffer.from("a certificate, for the one thing that is done with it");
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
  const thumbprint = createHash("sha256").update(der).digest("base64url");

  test.each([
    ["DER", der],
    ["PEM", pem],
    ["what Node gives", { raw: der }],
  ])("a token that is bound to one is accepted from whoever shows it: %s", async (_name, shown) => {
    const text = token({ "x5t#S256": thumbprint });
    expect((await server.verify(text, { clientCertificate: shown })).subject).toBe("alice");
  });

  test.each([
    ["none", undefined],
    ["another", Buffer.from("another")],
    ["text that is not a certificate", "x"],
    ["an object without one", {}],
  ])("refused with %s", async (_name, shown) => {
    const text = token({ "x5t#S256": thumbprint });
    const { reason, challenge } = await refusalOf(
      server.verify(text, { clientCertificate: shown as Uint8Array }),
    );
    expect([reason, challenge?.slice(0, 7)]).toEqual(["certificate", "Bearer "]);
  });

  test("a token that is bound to both needs both", async () => {
    const text = token({ "x5t#S256": thumbprint, jkt: jkt() });
    expect(await reasonOf(server.verify(text, { clientCertificate: der }))).toBe("key_bound");
    expect(await reasonOf(server.verify(text, request(proof(text))))).toBe("certificate");
    const both = { ...request(proof(text)), clientCertificate: der };
    expect((await server.verify(text, both)).subject).toBe("alice");
  });
});

test.each([
  ["dpop", { dpop: "yes" }],
  ["nonces", { dpopNonces: new Uint8Array(8) }],
] as const)("options: %s of another kind is invalid_option", (_name, options) => {
  expect(() => make(options as object)).toThrow(
    expect.objectContaining({ code: "invalid_option" }),
  );
});

test.each([
  ["scheme", { scheme: 7 }],
  ["headers", { headers: 7 }],
  ["an unknown name", { header: {} }],
])("options of verify: %s", async (_name, options) => {
  expect((await refusalOf(server.verify(token(), options as VerifyOptions))).code).toBe(
    "invalid_option",
  );
});
