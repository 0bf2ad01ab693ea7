// Changes with what a revocation tells.
import { afterEach, expect, test } from "vitest";
import { runCodeFlow, tokensOf } from "../../test/support/authorization-code.ts";
import { cleanUp, failureOf, makeWorld, startProvider } from "../../test/support/protocol-world.ts";
import type { HostileAnswer } from "../../test/support/provider-tampering.ts";
import { Secret } from "../core/secret.ts";
import { revokeToken } from "./revocation-endpoint.ts";
import type { RevocationInput } from "./revocation-endpoint.ts";

afterEach(cleanUp);

async function start(more: Partial<RevocationInput> = {}) {
  const provider = await startProvider();
  const input: RevocationInput = {
    revocationEndpoint: `${provider.issuer}/token/revocation`,
    clientId: provider.clients.public.clientId,
    authenticationMethod: "none",
    token: new Secret("unknown-token"),
    tokenTypeHint: "refresh_token",
    ...more,
  };
  const revoke = async (changes: Partial<RevocationInput> = {}, signal?: AbortSignal) =>
    (await revokeToken(makeWorld(), { ...input, ...changes }, signal)).outcome;
  return { provider, revoke };
}

test("a real provider forgets the refresh token", async () => {
  const { provider, revoke } = await start();
  const { refreshToken } = tokensOf(await runCodeFlow(provider));
  expect(await revoke({ token: new Secret(refreshToken) })).toBe("yes");
  const [request] = provider.requestsOf("revocation");
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    token: refreshToken,
    token_type_hint: "refresh_token",
    client_id: provider.clients.public.clientId,
  });
});

test("a confidential client authenticates as it did at the token endpoint", async () => {
  const { provider, revoke } = await start();
  const { clientId, clientSecret } = provider.clients.confidentialBasic;
  const changes = {
    clientId,
    clientSecret: new Secret(clientSecret),
    authenticationMethod: "client_secret_basic",
  } as const;
  expect(await revoke(changes)).toBe("yes");
  const [request] = provider.requestsOf("revocation");
  expect(request?.headers.authorization).toMatch(/^Basic /);
  expect(request?.body).not.toContain("client_id");
});

test("200 for an unknown token is success [C13]", async () => {
  const { revoke } = await start();
  expect(await revoke()).toBe("yes");
});

test("no endpoint, or a kind of token that is not revoked, is unsupported", async () => {
  const { provider, revoke } = await start();
  expect(await revoke({ revocationEndpoint: undefined })).toBe("unsupported");
  const body = JSON.stringify({ error: "unsupported_token_type" });
  provider.tamper({ path: "revocation", respond: async () => ({ status: 400, body }) });
  expect(await revoke()).toBe("unsupported");
});

test.each<[string, HostileAnswer | "reset"]>([
  ["a refusal", { status: 401, body: '{"error":"invalid_client"}' }],
  ["a failing server", { status: 503 }],
  ["a redirect", { status: 302, headers: { location: "/" } }],
  ["a reset", "reset"],
])("%s is failed, never an exception", async (_name, answer) => {
  const { provider, revoke } = await start();
  provider.tamper({ path: "revocation", respond: async () => answer });
  expect(await revoke()).toBe("failed");
});

// The second is what Keycloak 26 says of an access token whose sign-in was revoked just before (observed).
test.each([
  ["access_denied", "failed"],
  ["invalid_token", "yes"],
])("status 200 with the error %s is: %s", async (error, outcome) => {
  const { provider, revoke } = await start();
  const body = JSON.stringify({ error });
  provider.tamper({ path: "revocation", respond: async () => ({ status: 200, body }) });
  expect(await revoke()).toBe(outcome);
});

test("an access token that went with its refresh token and is refused is gone", async () => {
  const { provider, revoke } = await start({ tokenTypeHint: "access_token" });
  const body = '{"error":"invalid_request"}';
  provider.tamper({ path: "revocation", respond: async () => ({ status: 400, body }) });
  expect(await revoke()).toBe("failed");
  expect(await revoke({ isGrantRevoked: true })).toBe("yes");
  provider.tamper({ path: "revocation", respond: async () => ({ status: 503 }) });
  expect(await revoke({ isGrantRevoked: true })).toBe("failed");
});

test("an endpoint that does not look at Basic gets the secret in the body [F-P secret-basic-answered-with-invalid-request]", async () => {
  const { provider, revoke } = await start();
  const { clientId, clientSecret } = provider.clients.confidentialBasic;
  provider.tamper({
    path: "revocation",
    respond: async ({ headers }) =>
      headers["authorization"] === undefined
        ? { status: 200 }
        : { status: 400, body: '{"error":"invalid_request","error_description":"no client_id"}' },
  });
  const changes = {
    clientId,
    clientSecret: new Secret(clientSecret),
    authenticationMethod: "client_secret_basic",
  } as const;
  expect(await revoke(changes)).toBe("yes");
  expect(provider.requestsOf("revocation")).toHaveLength(2);
});

test("an abort is aborted", async () => {
  const { revoke } = await start();
  expect((await failureOf(revoke({}, AbortSignal.abort()))).code).toBe("aborted");
});
