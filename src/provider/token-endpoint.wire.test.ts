// Changes with what a refresh does.
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  answerTokens,
  cleanUp,
  failureOf,
  makeFolder,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import { runCodeFlow, tokensOf } from "../../test/support/authorization-code.ts";
import {
  forgeToken,
  genuineClaims,
  publicHalf,
  strangeKey,
} from "../../test/support/token-forge.ts";
import { openProvider } from "./metadata.ts";
import { refreshTokens } from "./refresh-tokens.ts";
import type { RefreshInput } from "./refresh-tokens.ts";

afterEach(cleanUp);

/** A sign-in that was made before, its provider's document and keys cached. */
async function startRefresh(more: Partial<RefreshInput> = {}) {
  const provider = await startProvider();
  const cacheFolder = join(await makeFolder(), "cache");
  const world = makeWorld({ cacheFolder });
  const opened = await openProvider(world, optionsFor(provider));
  await opened.keys.current();
  const clientId = provider.clients.public.clientId;
  const previous = { ...genuineClaims(provider.issuer, clientId), auth_time: 1000, nonce: "n" };
  const input: RefreshInput = {
    clientId,
    tokenEndpoint: `${provider.issuer}/token`,
    authenticationMethod: "none",
    refreshToken: "the-old-refresh-token",
    previous,
    scopes: ["openid", "offline_access"],
    options: optionsFor(provider),
    ...more,
  };
  provider.resetRequests();
  const refresh = (changes: Partial<RefreshInput> = {}, signal?: AbortSignal) =>
    refreshTokens(world, { ...input, ...changes }, signal);
  return { provider, world, cacheFolder, clientId, input, refresh };
}

describe("one request", () => {
  test("a real provider rotates; nothing else is asked, however old the keys are", async () => {
    const { provider, world, refresh } = await startRefresh();
    const { refreshToken, idToken } = tokensOf(
      await runCodeFlow(provider, {
        authorizationParameters: { scope: "openid offline_access", prompt: "consent" },
      }),
    );
    const [, payload = ""] = idToken.split(".");
    const previous = JSON.parse(Buffer.from(payload, "base64url").toString());
    provider.resetRequests();
    world.advance(30);
    const answer = await refresh({ refreshToken, previous, audience: "urn:an:api" });
    expect(provider.requests()).toMatchObject({ token: 1, total: 1 });
    expect(answer.refreshToken).not.toBe(refreshToken);
    expect(answer).toMatchObject({ signatureVerified: true, claims: { sub: "alice" } });
    const [body] = provider.tokenRequests();
    expect(Object.fromEntries(body ?? [])).toEqual({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: provider.clients.public.clientId,
      audience: "urn:an:api",
    });
  });

  test("cached metadata and keys of a year ago still serve [T06]", async () => {
    const { provider, world, refresh, clientId } = await startRefresh();
    const year = 365 * 24 * 3600;
    world.advance(year);
    const { iat, exp } = genuineClaims(provider.issuer, clientId);
    answerTokens(provider, { claims: { iat: Number(iat) + year, exp: Number(exp) + year } });
    expect((await refresh()).signatureVerified).toBe(true);
    expect(provider.requests()).toMatchObject({ token: 1, total: 1 });
  });

  test("an unknown kid has the keys fetched once, and kept [T06]", async () => {
    const { provider, refresh, world, input } = await startRefresh();
    const key = strangeKey("rotated");
    answerTokens(provider, { forge: { key } });
    provider.tamper({
      path: "jwks",
      respond: async () => ({ status: 200, body: JSON.stringify({ keys: [publicHalf(key)] }) }),
    });
    expect((await refresh()).signatureVerified).toBe(true);
    expect(provider.requests()).toMatchObject({ token: 1, jwks: 1, total: 2 });
    await refreshTokens(world, input);
    expect(provider.requests()).toMatchObject({ token: 2, jwks: 1, total: 3 });
  });

  test("a reply without a refresh token keeps the old one and its scopes [R09]", async () => {
    const { provider, refresh, input } = await startRefresh();
    for (const refresh_token of [undefined, null, ""]) {
      const undo = answerTokens(provider, { idToken: null, members: { refresh_token } });
      const answer = await refresh();
      expect(answer.refreshToken).toBe(input.refreshToken);
      expect(answer.scopes).toEqual(input.scopes);
      undo();
    }
  });

  test("a reply without an ID token is fine, and nobody is asked about keys", async () => {
    const { provider, refresh } = await startRefresh();
    answerTokens(provider, { idToken: null, members: { refresh_token: "new" } });
    const answer = await refresh();
    expect(answer).toMatchObject({ refreshToken: "new", accessToken: "access-token-for-alice" });
    expect(answer).not.toHaveProperty("idToken");
    expect(provider.requests().total).toBe(1);
  });

  test("a real provider's invalid_grant is recognisable, its secrets unseen [R03]", async () => {
    const { provider, refresh, input } = await startRefresh();
    const error = await failureOf(refresh(), [input.refreshToken]);
    expect(error).toMatchObject({
      code: "token_request_failed",
      reason: "invalid_grant",
      retryable: false,
    });
    expect(error.message).toContain("Sign in again");
    expect(provider.requests().token).toBe(1);
  });

  test("an abort before the answer ends with aborted", async () => {
    const { provider, refresh } = await startRefresh();
    const controller = new AbortController();
    provider.tamper({
      path: "token",
      respond: () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    });
    expect((await failureOf(refresh({}, controller.signal))).code).toBe("aborted");
  });
});

describe("the ID token of a refresh [R10]", () => {
  test.each<[string, Record<string, unknown>]>([
    ["the same auth_time", { auth_time: 1000 }],
    ["a later auth_time [F-P refresh-auth-time-changed]", { auth_time: 2000 }],
    ["no time at all in its auth_time", { auth_time: null }],
    ["no auth_time, no nonce", {}],
    ["the same nonce", { nonce: "n" }],
    ["the same audience in a list", { aud: ["CLIENT"] }],
  ])("may have %s", async (_name, changes) => {
    const { provider, refresh, clientId } = await startRefresh();
    const aud = changes["aud"] === undefined ? clientId : [clientId];
    answerTokens(provider, { claims: { ...changes, aud } });
    expect((await refresh()).signatureVerified).toBe(true);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["another iss", { iss: "https://evil.example" }, "id_token_iss"],
    ["another aud", { aud: "another-client" }, "id_token_aud"],
    ["one aud more", { aud: ["CLIENT", "x"], azp: "CLIENT" }, "id_token_aud"],
    ["another nonce", { nonce: "other" }, "id_token_nonce"],
    ["a past exp", { exp: 1000 }, "id_token_time"],
    ["no sub", { sub: undefined }, "id_token_sub"],
    ["a wrong at_hash", { at_hash: "AAAA" }, "id_token_at_hash"],
  ])("must not have %s", async (_name, changes, reason) => {
    const { provider, refresh, clientId } = await startRefresh();
    const claims = JSON.parse(JSON.stringify({ ...changes }).replaceAll("CLIENT", clientId));
    answerTokens(provider, { claims: "sub" in changes ? { sub: undefined } : claims });
    const error = await failureOf(refresh(), ["access-token-for-alice"]);
    expect(error).toMatchObject({ code: "id_token_invalid", reason });
  });

  test("about another person is subject_changed", async () => {
    const { provider, refresh } = await startRefresh();
    answerTokens(provider, { claims: { sub: "mallory" } });
    const error = await failureOf(refresh(), ["mallory"]);
    expect(error.code).toBe("subject_changed");
  });

  test("signed by nobody known is refused", async () => {
    const { provider, refresh } = await startRefresh();
    answerTokens(provider, { forge: { key: strangeKey("stranger") } });
    expect(await failureOf(refresh())).toMatchObject({ reason: "jwks_key_not_found" });
  });
});

describe("keys that can't be had do not cost the rotated refresh token", () => {
  test("the tokens stay, the ID token is dropped, a warning says so", async () => {
    const { provider, refresh, world } = await startRefresh();
    const idToken = await forgeToken(genuineClaims(provider.issuer, "public-client"), {
      key: strangeKey("rotated"),
    });
    answerTokens(provider, { idToken, members: { refresh_token: "new" } });
    provider.tamper({ path: "jwks", respond: async () => ({ status: 404 }) });
    const answer = await refresh();
    expect(answer.refreshToken).toBe("new");
    expect(answer).not.toHaveProperty("idToken");
    expect(answer).not.toHaveProperty("claims");
    expect(world.warnings).toEqual([expect.stringMatching(/^id_token_unverified: /)]);
  });

  test("a clock that is wrong costs no sign-in either [F-P refresh-auth-time-changed]", async () => {
    const { provider, refresh, world, clientId } = await startRefresh();
    const { iat, exp } = genuineClaims(provider.issuer, clientId);
    const ahead = { iat: Number(iat) + 7200, exp: Number(exp) + 7200 };
    const undo = answerTokens(provider, { claims: ahead, members: { refresh_token: "new" } });
    const answer = await refresh();
    expect([answer.refreshToken, answer.idToken]).toEqual(["new", undefined]);
    expect(world.warnings).toEqual([
      expect.stringMatching(/^id_token_unverified: .*this machine's clock/),
    ]);
    undo();
    answerTokens(provider, { claims: { ...ahead, sub: "mallory" } });
    expect((await failureOf(refresh())).code).toBe("subject_changed");
  });

  test("but its claims are still compared", async () => {
    const { provider, refresh } = await startRefresh();
    answerTokens(provider, { claims: { sub: "mallory" }, forge: { key: strangeKey("rotated") } });
    provider.tamper({ path: "jwks", respond: async () => "reset" });
    expect((await failureOf(refresh())).code).toBe("subject_changed");
  });

  test("an abort after the answer does not lose it", async () => {
    const { provider, refresh } = await startRefresh();
    const controller = new AbortController();
    answerTokens(provider, {
      members: { refresh_token: "new" },
      forge: { key: strangeKey("rotated") },
    });
    provider.tamper({
      path: "jwks",
      respond: () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    });
    expect((await refresh({}, controller.signal)).refreshToken).toBe("new");
  });

  test("a lost cache is filled again", async () => {
    const { provider, input } = await startRefresh();
    answerTokens(provider);
    const world = makeWorld();
    expect((await refreshTokens(world, input)).signatureVerified).toBe(true);
    expect(provider.requests()).toMatchObject({ token: 1, discovery: 1, jwks: 1 });
    await refreshTokens(world, input);
    expect(provider.requests()).toMatchObject({ token: 2, discovery: 1, jwks: 1 });
  });
});
