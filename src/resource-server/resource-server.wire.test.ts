// Which tokens a resource server accepts, and what everybody else is told.
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  signedToken,
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../test/support/token-issuer.ts";
import { isOidcError } from "../core/errors.ts";
import type { Refusal } from "./refusal.ts";
import type { Identity, ResourceServer, ResourceServerOptions } from "./resource-server-types.ts";
import { createResourceServer } from "./resource-server.ts";

const audience = "https://api.example.com";
const key = signingKey("one");
const rsa = signingKey("rsa", "rsa");
const edwards = signingKey("ed", "ed25519");
const others = signingKey("one");
let issuer: TokenIssuer;
let other: TokenIssuer;
let server: ResourceServer;
beforeAll(async () => {
  issuer = await startTokenIssuer(null, 7, key.jwk, rsa.jwk, edwards.jwk);
  other = await startTokenIssuer(others.jwk);
  server = make();
});
afterAll(() => {
  issuer.close();
  other.close();
});

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return createResourceServer({ issuer: issuer.issuer, audience, ...options });
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

type Claims = Readonly<Record<string, unknown>>;
function claims(more: Claims = {}): Claims {
  const now = nowSeconds();
  const usual = { iss: issuer.issuer, aud: audience, sub: "alice", iat: now, exp: now + 600 };
  return { ...usual, client_id: "cli", scope: "read openid", ...more };
}

function token(more: Claims = {}, header: Claims = {}): string {
  return signedToken(key, { alg: "ES256", kid: "one", typ: "at+jwt", ...header }, claims(more));
}

async function refusalOf(work: Promise<Identity>): Promise<Refusal> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("it was not refused", { cause: error });
  return error as Refusal;
}

async function reasonOf(text: string, at = server): Promise<string | undefined> {
  const { code, reason, status } = await refusalOf(at.verify(text));
  expect([code, status]).toEqual(["invalid_token", 401]);
  return reason;
}

describe("accepted", () => {
  test.each([
    ["typ at+jwt", {}, {}],
    ["typ application/at+jwt", {}, { typ: "application/AT+JWT" }],
    ["typ JWT with a scope", {}, { typ: "JWT" }],
    ["no typ, marked by client_id alone", { scope: undefined }, { typ: undefined }],
    ["several audiences", { aud: ["https://else.example.com", audience] }, {}],
    ["no iat", { iat: undefined }, {}],
    ["a minute of difference between the clocks", { iat: nowSeconds() + 50 }, {}],
    ["nonce in what calls itself an access token", { nonce: "n" }, {}],
  ] as const)("%s", async (_name, more, header) => {
    expect(await server.verify(token(more, header))).toMatchObject({
      subject: "alice",
      username: "alice",
      groups: [],
      issuer: issuer.issuer,
    });
  });

  test.each([
    ["RS256", rsa, "rsa"],
    ["EdDSA", edwards, "ed"],
  ] as const)("%s", async (alg, by, kid) => {
    const text = signedToken(by, { alg, kid, typ: "at+jwt" }, claims());
    expect((await server.verify(text)).scopes).toEqual(["read", "openid"]);
  });

  test("the identity: name, groups, labels and scopes by the options", async () => {
    const at = make({
      usernameClaim: "metadata.name",
      groupsClaim: "https://example.com/groups",
      groupLabels: { admins: ["admin", "editor"], staff: "editor", others: "x" },
    });
    const exp = nowSeconds() + 77;
    const text = token({
      exp,
      metadata: { name: "Alice" },
      "https://example.com/groups": ["admins", "staff", "admins"],
      scope: undefined,
      scp: ["read", "write"],
    });
    expect(await at.verify(text)).toMatchObject({
      username: "Alice",
      groups: ["admins", "staff"],
      labels: ["admin", "editor"],
      scopes: ["read", "write"],
      expiresAt: new Date(exp * 1000),
    });
  });

  test("several issuers, each with its own audience and keys [K04]", async () => {
    const at = createResourceServer({
      usernameClaim: "name",
      issuers: [
        { issuer: issuer.issuer, audience },
        { issuer: other.issuer, audience: "b", usernameClaim: "sub" },
      ],
    });
    const theirs = claims({ iss: other.issuer, aud: "b" });
    const header = { alg: "ES256", kid: "one", typ: "at+jwt" };
    expect((await at.verify(signedToken(others, header, theirs))).username).toBe("alice");
    expect((await at.verify(token({ name: "Al" }))).username).toBe("Al");
    expect(await reasonOf(signedToken(key, header, theirs), at)).toBe("signature");
    expect(await reasonOf(token({ aud: "b" }), at)).toBe("audience");
  });
});

describe("refused by what the token says", () => {
  test.each([
    ["K02", "another audience", "audience", { aud: "https://api.example.com/" }],
    ["K02", "no audience", "audience", { aud: undefined }],
    ["K02", "an audience that is no text", "audience", { aud: [audience, 7] }],
    ["K03", "a list of issuers", "issuer", { iss: ["x"] }],
    ["K03", "an issuer that begins the same", "issuer", { iss: "https://id.example.com" }],
    ["K06", "no exp", "time", { exp: undefined }],
    ["K06", "exp as text", "time", { exp: "9999999999" }],
    ["K06", "an exp that no date can be", "time", { exp: 9e12 }],
    ["K06", "past", "time", { exp: nowSeconds() - 61 }],
    ["K06", "nbf in the future", "time", { nbf: nowSeconds() + 90 }],
    ["K06", "iat in the future", "time", { iat: nowSeconds() + 4000 }],
    ["K06", "iat as text", "time", { iat: "1" }],
    ["K19", "bound to a key", "key_bound", { cnf: { jkt: "x" } }],
    ["K20", "no sub", "subject", { sub: undefined }],
    ["K20", "an empty sub", "subject", { sub: "" }],
    ["K18", "scopes that are a number", "scope", { scope: 7 }],
  ] as const)("[%s] %s", async (_id, _name, reason, more) => {
    expect(await reasonOf(token(more))).toBe(reason);
  });

  test.each([
    ["an ID token by its nonce", "not_an_access_token", { nonce: "n" }, "JWT"],
    ["an ID token by at_hash", "not_an_access_token", { at_hash: "h" }, "JWT"],
    ["an ID token by c_hash", "not_an_access_token", { c_hash: "h" }, undefined],
    ["an ID token by the claim typ", "not_an_access_token", { typ: "ID" }, "JWT"],
    ["an ID token by token_use", "not_an_access_token", { token_use: "id" }, "JWT"],
    ["a refresh token", "not_an_access_token", { typ: "Refresh" }, "JWT"],
    ["a logout token", "not_an_access_token", { events: {} }, "JWT"],
    ["without a mark", "not_an_access_token", { scope: undefined, client_id: undefined }, "JWT"],
    ["typ logout+jwt", "typ", {}, "logout+jwt"],
    ["typ dpop+jwt", "typ", {}, "dpop+jwt"],
    ["a typ that is no text", "typ", {}, 7],
  ] as const)("[K05] %s", async (_name, reason, more, typ) => {
    expect(await reasonOf(token(more, { typ }))).toBe(reason);
  });

  test("[K05] without a mark it is accepted where that is asked for, an ID token not even there", async () => {
    const at = make({ acceptUnmarkedTokens: true });
    const bare = { scope: undefined, client_id: undefined };
    expect((await at.verify(token(bare, { typ: "JWT" }))).subject).toBe("alice");
    expect(await reasonOf(token({ ...bare, nonce: "n" }, { typ: "JWT" }), at)).toBe(
      "not_an_access_token",
    );
  });

  test.each([
    ["missing", { usernameClaim: "name" }, {}, "username"],
    ["blank", { usernameClaim: "name" }, { name: "  " }, "username"],
    ["not verified", { usernameClaim: "email" }, { email: "a@example.com" }, "username"],
    ["of a prototype", { usernameClaim: "constructor.name" }, {}, "username"],
    ["groups of another kind", { groupsClaim: "groups" }, { groups: [{}] }, "groups"],
    ["a group without a name", { groupsClaim: "groups" }, { groups: [""] }, "groups"],
  ] as const)("[K20] the name: %s", async (_name, options, more, reason) => {
    expect(await reasonOf(token(more), make(options))).toBe(reason);
  });
});

describe("refused by form and signature", () => {
  test("[K01] none, HS256 by the public key, another algorithm of the same key", async () => {
    const [, payload = ""] = token().split(".");
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
    expect(await reasonOf(`${none}.${payload}.`)).toBe("alg");
    const hs = Buffer.from('{"alg":"HS256","kid":"one","typ":"at+jwt"}').toString("base64url");
    const mac = createHmac("sha256", JSON.stringify(key.jwk)).update(`${hs}.${payload}`);
    expect(await reasonOf(`${hs}.${payload}.${mac.digest("base64url")}`)).toBe("alg");
    const pss = signedToken(rsa, { alg: "PS256", kid: "rsa", typ: "at+jwt" }, claims());
    expect(await reasonOf(pss)).toBe("jwks_key_not_found");
    expect(await reasonOf(token(), make({ algorithms: ["RS256"] }))).toBe("alg");
  });

  test("[K07] names twice, in header and claims, however they are spelled", async () => {
    const header = '{"alg":"ES256","kid":"one","typ":"at+jwt"}';
    const body = JSON.stringify(claims());
    const again = (name: string) => `${body.slice(0, -1)},"${name}":"admin"}`;
    expect(await reasonOf(signedToken(key, header, again("sub")))).toBe("malformed");
    expect(await reasonOf(signedToken(key, header, again("\\u0073ub")))).toBe("malformed");
    const nested = `${body.slice(0, -1)},"a":[{"b":1,"c":{"d":1,"d":2}}]}`;
    expect(await reasonOf(signedToken(key, header, nested))).toBe("malformed");
    const twice = '{"alg":"none","alg":"ES256","kid":"one","typ":"at+jwt"}';
    expect(await reasonOf(signedToken(key, twice, body))).toBe("malformed");
    // The same names in other objects, spaces and a name as a value are no duplicates.
    const spaced = `{ "sub2" : { "sub":"sub" }, "l":[{"x":1},{"x":2}],${body.slice(1)}`;
    expect((await server.verify(signedToken(key, header, spaced))).subject).toBe("alice");
  });

  test("[K07] crit, other spellings, dots, a JWE; a key in the header is never used", async () => {
    expect(await reasonOf(token({}, { crit: ["exp"] }))).toBe("malformed");
    expect(await reasonOf(token({}, { crit: null }))).toBe("malformed");
    const good = token();
    for (const text of [`${good}.`, `${good}=`, `${good}.x.y`, good.replace(".", "..")]) {
      expect(await reasonOf(text)).toBe("malformed");
    }
    const planted = { jwk: others.jwk, jku: `${other.issuer}/keys` };
    const forged = signedToken(
      others,
      { alg: "ES256", kid: "rsa", typ: "at+jwt", ...planted },
      claims(),
    );
    const seen = other.requests();
    expect(await reasonOf(forged)).toBe("jwks_key_not_found");
    expect(other.requests()).toBe(seen);
  });

  test("[K16] nothing, spaces, and more than 64 KiB of it, without a question to the issuer", async () => {
    const at = make();
    const before = issuer.requests();
    expect(await reasonOf("", at)).toBe("token_missing");
    expect(await reasonOf(" ", at)).toBe("malformed");
    expect(await reasonOf(token({ pad: "x".repeat(64 * 1024) }), at)).toBe("too_large");
    expect(await reasonOf(token({ iss: "https://else.example.com" }), at)).toBe("issuer");
    expect(issuer.requests()).toBe(before);
  });

  test("[K17] every token that is not accepted gets the same challenge, and no header of its own", async () => {
    const at = make({ scopes: ["read", "a!b"], requiredScopes: ["read"] });
    const expired = await refusalOf(at.verify(token({ exp: 1 })));
    const forged = await refusalOf(at.verify(`${token().slice(0, -8)}AAAAAAAA`));
    expect(expired.challenge).toBe(forged.challenge);
    expect(expired.challenge).toBe(
      'Bearer error="invalid_token", scope="read a!b", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
    );
    const missing = await refusalOf(at.verifyRequest({ authorization: [], url: "/" }));
    expect(missing.challenge).not.toContain("error");
    expect(missing.status).toBe(401);
  });
});

describe("what a request demands", () => {
  test("[K18] scopes are compared whole; a missing one is named in a 403", async () => {
    const refusal = await refusalOf(
      server.verify(token({ scope: "readwrite openid" }), { requiredScopes: ["read"] }),
    );
    expect([refusal.code, refusal.status]).toEqual(["insufficient_scope", 403]);
    expect(refusal.challenge).toContain('error="insufficient_scope", scope="read"');
    expect((await server.verify(token(), { requiredScopes: ["read"] })).subject).toBe("alice");
  });

  test("an authentication of another kind or too long ago is a step-up (RFC 9470)", async () => {
    const at = make({ acrValues: ["gold"], maxAgeSeconds: 300 });
    const good = { acr: "gold", auth_time: nowSeconds() - 10 };
    expect((await at.verify(token(good))).subject).toBe("alice");
    for (const more of [
      { ...good, acr: "tin" },
      { ...good, auth_time: nowSeconds() - 400 },
    ]) {
      const { code, reason, status, challenge } = await refusalOf(at.verify(token(more)));
      expect([code, reason, status]).toEqual(["insufficient_scope", "step_up", 401]);
      expect(challenge).toContain(
        'Bearer error="insufficient_user_authentication", acr_values="gold", max_age="300"',
      );
    }
  });

  test.each([
    ["two headers", ["Bearer a.b.c", "Bearer a.b.c"], "/", 400, "several_tokens"],
    ["a token in the query", ["Bearer a.b.c"], "/?x=1&access_token=a.b.c", 400, "token_in_query"],
    ["spaces in it", ["Bearer a b"], "/", 400, "malformed"],
    ["no scheme", ["a.b.c"], "/", 400, "malformed"],
    ["another scheme", ["Basic a.b.c"], "/", 401, "scheme"],
    ["an endless one", [`Bearer ${"a".repeat(70_000)}`], "/", 401, "too_large"],
    ["endless space in front of one", [`Bearer${" ".repeat(70_000)}a`], "/", 401, "too_large"],
  ] as const)("[K15] %s", async (_name, authorization, url, status, reason) => {
    const refusal = await refusalOf(server.verifyRequest({ authorization, url }));
    expect([refusal.status, refusal.reason]).toEqual([status, reason]);
  });
});

describe("keys", () => {
  test("[K08] a new key is taken at once, and 300 unknown ones are one request", async () => {
    const own = await startTokenIssuer(key.jwk);
    const at = make({ issuer: own.issuer });
    const mine = (by: typeof key, kid: string) =>
      signedToken(by, { alg: "ES256", kid, typ: "at+jwt" }, claims({ iss: own.issuer }));
    await Promise.all(Array.from({ length: 100 }, () => at.verify(mine(key, "one"))));
    expect(own.keyRequests()).toBe(1);
    const fresh = signingKey("two");
    own.publish(key.jwk, fresh.jwk);
    expect((await at.verify(mine(fresh, "two"))).subject).toBe("alice");
    expect(own.keyRequests()).toBe(2);
    const flood = Array.from({ length: 300 }, (_, index) =>
      reasonOf(mine(others, `x${String(index)}`), at),
    );
    expect(new Set(await Promise.all(flood))).toEqual(new Set(["jwks_key_not_found"]));
    expect(own.keyRequests()).toBe(2);
    own.close();
  });

  test("[K09] without any keys it is the provider's outage: 503, with a time to wait", async () => {
    const own = await startTokenIssuer(key.jwk);
    own.fail(404);
    const at = make({ issuer: own.issuer, jwksUri: `${own.issuer}/keys` });
    const { code, status, challenge, retryAfterSeconds } = await refusalOf(
      at.verify(token({ iss: own.issuer })),
    );
    expect([code, status, challenge]).toEqual(["provider_unavailable", 503, undefined]);
    expect(retryAfterSeconds).toBeGreaterThan(0);
    own.close();
  });

  test("[K09] a key that left the set is used no more, remembered tokens included", async () => {
    const own = await startTokenIssuer(key.jwk);
    const at = make({ issuer: own.issuer });
    const text = token({ iss: own.issuer });
    const identities = [await at.verify(text), await at.verify(text), await at.verify(text)];
    expect(identities[2]).toBe(identities[1]);
    expect(Object.isFrozen(identities[2]?.claims)).toBe(true);
    own.publish(others.jwk);
    await refusalOf(at.verify(token({ iss: own.issuer }, { kid: "unknown" })));
    expect(await reasonOf(text, at)).toBe("signature");
    own.close();
  });
});

describe("options", () => {
  test("[K02] no server is made without an audience, unless that is asked for", async () => {
    expect(() => createResourceServer({ issuer: issuer.issuer })).toThrow(/audience/);
    const at = createResourceServer({ issuer: issuer.issuer, allowUnboundAudience: true });
    expect((await at.verify(token({ aud: undefined }))).subject).toBe("alice");
  });

  test.each([
    ["an unknown name", { audiences: "x" }],
    ["http beyond loopback", { issuer: "http://id.example.com" }],
    ["none among the algorithms", { algorithms: ["none"] }],
    ["a shared secret among the algorithms", { algorithms: ["HS256"] }],
    ["an hour of tolerance", { clockToleranceSeconds: 3600 }],
    ["a mode that does not exist", { validationMode: "trust" }],
    ["scopes as text", { scopes: "read" }],
  ] as const)("%s is invalid_option", (_name, options) => {
    expect(() => make(options as object)).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  });

  test("[K22] the document is made of options alone", () => {
    const at = make({ resource: "https://api.example.com/v1", clientId: "cli", scopes: ["read"] });
    expect(at.metadataPath).toBe("/.well-known/oauth-protected-resource/v1");
    expect(at.metadata).toEqual({
      resource: "https://api.example.com/v1",
      authorization_servers: [issuer.issuer],
      scopes_supported: ["read"],
      bearer_methods_supported: ["header"],
      client_id: "cli",
      audience,
    });
  });

  test("events tell what happened, without tokens", async () => {
    const events: unknown[] = [];
    const at = make({ onEvent: (event) => void events.push(event) });
    const text = token();
    await at.verify(text);
    await at.verify(text);
    await at.verify(text);
    await refusalOf(at.verify(token({ exp: 1 })));
    expect(events).toMatchObject([
      { type: "keys", fetched: true },
      { type: "verified", remembered: false },
      { type: "verified", remembered: false },
      { type: "verified", remembered: true },
      { type: "refused", code: "invalid_token", reason: "time" },
    ]);
    expect(JSON.stringify(events)).not.toContain(text.slice(-20));
  });
});
