// Changes with what the userinfo endpoint may answer.
import { afterEach, describe, expect, test } from "vitest";
import { runCodeFlow, tokensOf } from "../../test/support/authorization-code.ts";
import {
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import type { HostileAnswer } from "../../test/support/provider-tampering.ts";
import {
  forgeToken,
  genuineClaims,
  strangeKey,
  unsignedToken,
} from "../../test/support/token-forge.ts";
import { Secret } from "../core/secret.ts";
import { fetchUserInfo } from "./userinfo-endpoint.ts";

afterEach(cleanUp);

const token = "access-token-for-alice";

async function start(accessToken = token, subject: string | null = "alice") {
  const provider = await startProvider();
  const world = makeWorld();
  const options = optionsFor(provider);
  const ask = (overrides: { jwksUri?: string } = {}) =>
    fetchUserInfo(world, {
      userinfoEndpoint: `${provider.issuer}/me`,
      clientId: options.clientId,
      accessToken: new Secret(accessToken),
      expectedSubject: subject ?? undefined,
      options: { ...options, ...overrides },
    });
  const answerWith = (answer: HostileAnswer) =>
    provider.tamper({ path: "userinfo", respond: async () => answer });
  const answerClaims = (claims: unknown) =>
    answerWith({
      status: 200,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(claims),
    });
  const answerSigned = (body: string) =>
    answerWith({ status: 200, headers: { "content-type": "application/jwt" }, body });
  const claims = genuineClaims(provider.issuer, options.clientId);
  return { provider, ask, answerWith, answerClaims, answerSigned, claims };
}

describe("plain", () => {
  test("a real provider's claims; the token goes in the header alone [T23]", async () => {
    const provider = await startProvider();
    const { accessToken } = tokensOf(await runCodeFlow(provider));
    provider.resetRequests();
    const claims = await fetchUserInfo(makeWorld(), {
      userinfoEndpoint: `${provider.issuer}/me`,
      clientId: provider.clients.public.clientId,
      accessToken: new Secret(accessToken),
      expectedSubject: "alice",
      options: optionsFor(provider),
    });
    expect(claims).toMatchObject({ sub: "alice", email: "alice@example.com" });
    expect(provider.requests()).toMatchObject({ userinfo: 1, total: 1 });
    const [request] = provider.requestsOf("userinfo");
    expect(request).toMatchObject({ method: "GET", url: "/me", body: "" });
    expect(request?.headers.authorization).toBe(`Bearer ${accessToken}`);
  });

  test.each([
    { sub: "mallory" },
    { sub: "Alice" },
    {},
    { sub: "" },
    { sub: 7 },
    { sub: ["alice"] },
  ])("claims with %j are thrown away [T23]", async (claims) => {
    const { ask, answerClaims } = await start();
    answerClaims({ ...claims, email: "mallory@evil.example" });
    const error = await failureOf(ask(), ["mallory", token]);
    expect(error).toMatchObject({ code: "subject_changed", reason: "userinfo_sub_mismatch" });
  });

  test("without an ID token there is no subject to compare, but there must be one", async () => {
    const { ask, answerClaims } = await start(token, null);
    answerClaims({ sub: "bob" });
    expect(await ask()).toEqual({ sub: "bob" });
    answerClaims({ email: "bob@example.com" });
    expect((await failureOf(ask())).code).toBe("subject_changed");
  });

  test("a refused access token says so [O04]", async () => {
    const { ask, answerWith } = await start();
    const challenge = `Bearer realm="x", error="invalid_token", error_description="${token}"`;
    answerWith({ status: 401, headers: { "www-authenticate": challenge } });
    const error = await failureOf(ask(), [token]);
    expect(error).toMatchObject({ code: "token_request_failed", reason: "invalid_token" });
  });

  test("a real provider refuses an unknown token", async () => {
    const { ask } = await start("unknown-token");
    const error = await failureOf(ask(), ["unknown-token"]);
    expect(error).toMatchObject({ code: "token_request_failed", reason: "invalid_token" });
  });

  test("a token that can't stand in a header is not sent [T18]", async () => {
    const { ask, provider } = await start("a\r\nx-injected: 1");
    expect((await failureOf(ask())).code).toBe("token_response_invalid");
    expect(provider.requests().total).toBe(0);
  });

  test("a web page is no answer [N05]", async () => {
    const { ask, answerWith } = await start();
    answerWith({ status: 200, headers: { "content-type": "text/html" }, body: "<html>" });
    expect((await failureOf(ask())).code).toBe("token_response_invalid");
  });
});

describe("signed [T24]", () => {
  test("a claim called __proto__ is nobody's own member [F-S16] [P05]", async () => {
    const { ask, answerSigned, claims } = await start();
    const text = JSON.stringify(claims).replace("{", '{"__proto__":{"admin":true},');
    answerSigned(await forgeToken(text));
    const read = await ask();
    expect(Object.getOwnPropertyNames(read)).not.toContain("__proto__");
    expect(read["admin"]).toBeUndefined();
  });

  test("claims signed by the provider", async () => {
    const { ask, answerSigned, claims } = await start();
    answerSigned(await forgeToken({ ...claims, email: "a@b.example" }));
    expect(await ask()).toMatchObject({ sub: "alice", email: "a@b.example" });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["no iss", { iss: undefined }, "userinfo_iss"],
    ["another iss", { iss: "https://evil.example" }, "userinfo_iss"],
    ["no aud", { aud: undefined }, "userinfo_aud"],
    ["another aud", { aud: ["other"] }, "userinfo_aud"],
    ["a past exp", { exp: 1000 }, "userinfo_time"],
    ["exp as text", { exp: "9999999999" }, "userinfo_time"],
  ])("refuses %s", async (_name, changes, reason) => {
    const { ask, answerSigned, claims } = await start();
    answerSigned(await forgeToken({ ...claims, ...changes }));
    const error = await failureOf(ask(), [token]);
    expect(error).toMatchObject({ code: "token_response_invalid", reason });
  });

  test("refuses another person in a good signature [T23]", async () => {
    const { ask, answerSigned, claims } = await start();
    answerSigned(await forgeToken({ ...claims, sub: "mallory" }));
    expect((await failureOf(ask(), ["mallory"])).code).toBe("subject_changed");
  });

  test("refuses a foreign signature, none, and no JWT at all", async () => {
    const { ask, answerSigned, claims } = await start();
    const undo = answerSigned(await forgeToken(claims, { key: strangeKey("x") }));
    expect((await failureOf(ask())).reason).toBe("userinfo_jwks_key_not_found");
    undo();
    answerSigned(unsignedToken({ alg: "none" }, claims));
    expect((await failureOf(ask())).reason).toBe("userinfo_alg");
    answerSigned("{}");
    expect((await failureOf(ask())).reason).toBe("userinfo_malformed");
  });

  test("refuses what it has no keys for", async () => {
    const { provider, answerSigned, claims } = await start();
    answerSigned(await forgeToken(claims));
    const options = optionsFor(provider, {
      authorizationEndpoint: `${provider.issuer}/auth`,
      tokenEndpoint: `${provider.issuer}/token`,
    });
    const asked = fetchUserInfo(makeWorld(), {
      userinfoEndpoint: `${provider.issuer}/me`,
      clientId: options.clientId,
      accessToken: new Secret(token),
      expectedSubject: "alice",
      options,
    });
    expect((await failureOf(asked)).reason).toBe("userinfo_unverifiable");
  });
});
