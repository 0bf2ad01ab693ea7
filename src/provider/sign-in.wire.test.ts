// Changes with what a sign-in as a whole asks of the provider.
import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { listenForRedirect } from "../../test/support/authorization-code.ts";
import {
  answerTokens,
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import type { ProtocolWorld } from "../../test/support/protocol-world.ts";
import type { IdentityProvider } from "../../test/support/identity-provider.ts";
import { signIn } from "../../test/support/scripted-browser.ts";
import { Secret } from "../core/secret.ts";
import { createAuthorizationAttempt } from "./authorization-request.ts";
import type { AuthorizationAttempt, AuthorizationInput } from "./authorization-request.ts";
import { openProvider } from "./metadata.ts";
import { refreshTokens } from "./refresh-tokens.ts";

afterEach(cleanUp);

const redirectUri = "http://127.0.0.1:1/callback";

function inputFor(
  provider: IdentityProvider,
  more: Partial<AuthorizationInput> = {},
): AuthorizationInput {
  return {
    clientId: provider.clients.public.clientId,
    redirectUri,
    scopes: undefined,
    pkce: true,
    offlineAccess: false,
    ...more,
  };
}

/** Signs in as a person does; gives the answer's parameters. */
async function visit(attempt: AuthorizationAttempt): Promise<URLSearchParams> {
  return new URL((await signIn(attempt.url)).redirectUrl).searchParams;
}

async function startAttempt(
  world: ProtocolWorld,
  provider: IdentityProvider,
  more: Partial<AuthorizationInput> = {},
) {
  const listener = await listenForRedirect();
  try {
    const opened = await openProvider(world, optionsFor(provider));
    opened.prefetchKeys();
    const input = inputFor(provider, { redirectUri: listener.redirectUri, ...more });
    const attempt = await createAuthorizationAttempt(world, opened, input);
    return { opened, attempt, parameters: await visit(attempt) };
  } finally {
    await listener.close();
  }
}

test("takes three requests, the next one in the same process one, a refresh one", async () => {
  const provider = await startProvider();
  const world = makeWorld();
  const first = await startAttempt(world, provider);
  const answer = await first.attempt.exchange(first.parameters);
  expect(provider.requests()).toMatchObject({ discovery: 1, jwks: 1, token: 1, total: 3 });
  expect(answer).toMatchObject({
    tokenType: "Bearer",
    scopes: ["openid", "profile", "email"],
    signatureVerified: true,
    authenticationMethod: "none",
    issuer: provider.issuer,
    tokenEndpoint: `${provider.issuer}/token`,
    userinfoEndpoint: `${provider.issuer}/me`,
    revocationEndpoint: `${provider.issuer}/token/revocation`,
    claims: { sub: "alice", iss: provider.issuer },
  });
  expect(answer.expiresAt).toBe(answer.issuedAt + 3600);

  provider.resetRequests();
  const second = await startAttempt(world, provider);
  await second.attempt.exchange(second.parameters);
  expect(provider.requests()).toMatchObject({ token: 1, total: 1 });

  provider.resetRequests();
  const refreshed = await refreshTokens(world, {
    clientId: provider.clients.public.clientId,
    tokenEndpoint: answer.tokenEndpoint,
    authenticationMethod: answer.authenticationMethod,
    refreshToken: answer.refreshToken ?? "none",
    previous: answer.claims,
    scopes: answer.scopes,
    options: optionsFor(provider),
  });
  expect(provider.requests()).toMatchObject({ token: 1, total: 1 });
  expect(refreshed).toMatchObject({ signatureVerified: true, claims: { sub: "alice" } });
  expect(refreshed.refreshToken).not.toBe(answer.refreshToken);
});

test.each(["confidentialBasic", "confidentialPost"] as const)(
  "as a %s client [T25]",
  async (kind) => {
    const provider = await startProvider();
    const { clientId, clientSecret } = provider.clients[kind];
    const secret = new Secret(clientSecret);
    if (kind === "confidentialPost") {
      provider.tamper({
        path: "discovery",
        respond: async (_request, genuine) => {
          const genuineAnswer = await genuine();
          const document = JSON.parse(genuineAnswer.body);
          document.token_endpoint_auth_methods_supported = ["client_secret_post"];
          return { ...genuineAnswer, body: JSON.stringify(document) };
        },
      });
    }
    const more = { clientId, clientSecret: secret };
    const { attempt, parameters } = await startAttempt(makeWorld(), provider, more);
    const answer = await attempt.exchange(parameters);
    const isBasic = kind === "confidentialBasic";
    expect(answer.authenticationMethod).toBe(
      isBasic ? "client_secret_basic" : "client_secret_post",
    );
    const [body] = provider.tokenRequests();
    expect(provider.authorizationHeaders()[0] !== undefined).toBe(isBasic);
    expect(body?.has("client_secret")).toBe(!isBasic);
    expect(answer.claims?.aud).toBe(clientId);
  },
);

test("without PKCE no verifier is sent", async () => {
  const provider = await startProvider();
  const { clientId, clientSecret } = provider.clients.noPkce;
  const more = { clientId, clientSecret: new Secret(clientSecret), pkce: false };
  const { attempt, parameters } = await startAttempt(makeWorld(), provider, more);
  await attempt.exchange(parameters);
  expect(provider.tokenRequests()[0]?.has("code_verifier")).toBe(false);
});

test("the verifier of the attempt is the one whose hash was sent, audience goes along [A02]", async () => {
  const provider = await startProvider();
  const more = { audience: "urn:some:api" };
  const { attempt, parameters } = await startAttempt(makeWorld(), provider, more);
  await attempt.exchange(parameters);
  const body = provider.tokenRequests()[0];
  const hash = createHash("sha256").update(body?.get("code_verifier") ?? "");
  const challenge = new URL(attempt.url).searchParams.get("code_challenge");
  expect(hash.digest("base64url")).toBe(challenge);
  expect(attempt.url).not.toContain(body?.get("code_verifier"));
  expect(body?.get("audience")).toBe("urn:some:api");
  expect(provider.authorizationRequests()[0]?.get("audience")).toBe("urn:some:api");
});

test("a code of another session is worth nothing here [A09]", async () => {
  // Of its own: the worker's provider has seen the secrets of other files, of one letter too.
  const provider = await startProvider({});
  const world = makeWorld();
  const victim = await startAttempt(world, provider);
  const attacker = await startAttempt(world, provider);
  const injected = new URLSearchParams(attacker.parameters);
  injected.set("state", victim.parameters.get("state") ?? "");
  const secrets = [...provider.secretsIssued(), ...provider.secretsReceived()];
  const error = await failureOf(victim.attempt.exchange(injected), secrets);
  expect(error).toMatchObject({ code: "token_request_failed", reason: "invalid_grant" });
});

test("the code goes only to the token endpoint of this attempt [A06]", async () => {
  const provider = await startProvider();
  const other = await startProvider({});
  const world = makeWorld();
  const { attempt, parameters } = await startAttempt(world, provider);
  parameters.set("token_endpoint", `${other.issuer}/token`);
  await attempt.exchange(parameters);
  expect(other.requests().total).toBe(0);
  expect(provider.requests().token).toBe(1);
});

test("an attempt is good for one answer: a second makes no token request [A01][L11]", async () => {
  const provider = await startProvider();
  const { attempt, parameters } = await startAttempt(makeWorld(), provider);
  await attempt.exchange(parameters);
  const error = await failureOf(attempt.exchange(parameters));
  expect(error).toMatchObject({ code: "callback_invalid", reason: "already_used" });
  expect(provider.requests().token).toBe(1);
});

test("a wrong state makes no token request and does not use the attempt up", async () => {
  const provider = await startProvider();
  const { attempt, parameters } = await startAttempt(makeWorld(), provider);
  const wrong = new URLSearchParams(parameters);
  wrong.set("state", "forged");
  const state = parameters.get("state") ?? "";
  expect((await failureOf(attempt.exchange(wrong), [state])).code).toBe("state_mismatch");
  expect(provider.requests().token).toBe(0);
  await attempt.exchange(parameters);
});

test("a provider without keys that we know of: claims are checked, and it is said so", async () => {
  const provider = await startProvider();
  const options = optionsFor(provider, {
    authorizationEndpoint: `${provider.issuer}/auth`,
    tokenEndpoint: `${provider.issuer}/token`,
  });
  const world = makeWorld();
  const attempt = await createAuthorizationAttempt(
    world,
    await openProvider(world, options),
    inputFor(provider),
  );
  const query = new URL(attempt.url).searchParams;
  answerTokens(provider, { claims: { nonce: query.get("nonce") } });
  const parameters = new URLSearchParams({ code: "c", state: query.get("state") ?? "" });
  const answer = await attempt.exchange(parameters);
  expect(answer.signatureVerified).toBe(false);
  expect(provider.requests()).toMatchObject({ token: 1, total: 1 });
});

test("with jwksUri set the signature is verified without discovery [D07]", async () => {
  const provider = await startProvider();
  const options = optionsFor(provider, {
    authorizationEndpoint: `${provider.issuer}/auth`,
    tokenEndpoint: `${provider.issuer}/token`,
    jwksUri: `${provider.issuer}/jwks`,
  });
  const world = makeWorld();
  const attempt = await createAuthorizationAttempt(
    world,
    await openProvider(world, options),
    inputFor(provider),
  );
  const query = new URL(attempt.url).searchParams;
  answerTokens(provider, { claims: { nonce: query.get("nonce") } });
  const parameters = new URLSearchParams({ code: "c", state: query.get("state") ?? "" });
  expect((await attempt.exchange(parameters)).signatureVerified).toBe(true);
  expect(provider.requests()).toMatchObject({ discovery: 0, jwks: 1, token: 1 });
});
