// Providers of plain OAuth 2.0, emulated from their documents: no `openid`, no ID token, no refresh token.

import { expect, onTestFinished, test } from "vitest";
import { memoryStore, OidcAuth, type OidcAuthOptions } from "../../src/index.ts";
import {
  emulatedGitHubClient,
  startEmulatedGitHub,
  type EmulatedGitHub,
} from "../support/emulated-github.ts";
import { emulatedOpenShiftClient, startEmulatedOpenShift } from "../support/emulated-openshift.ts";
import type { EmulatedServer } from "../support/emulated-oauth.ts";
import { emptyHome, failureOf, person } from "./harness.ts";

function credentialFor(server: EmulatedServer, changes: OidcAuthOptions): OidcAuth {
  return new OidcAuth({
    issuer: server.origin,
    openBrowser: false,
    callbackPort: 0,
    callbackTimeoutSeconds: 15,
    onPrompt: person().onPrompt,
    ...changes,
  });
}

async function openShift() {
  emptyHome();
  const server = await startEmulatedOpenShift();
  onTestFinished(() => server.close());
  const auth = (changes: OidcAuthOptions = {}): OidcAuth =>
    credentialFor(server, { clientId: emulatedOpenShiftClient, ...changes });
  return { server, auth };
}

async function gitHub(honoursAccept: boolean) {
  emptyHome();
  const server: EmulatedGitHub = await startEmulatedGitHub({ honoursAccept });
  onTestFinished(() => server.close());
  const auth = (changes: OidcAuthOptions = {}): OidcAuth =>
    credentialFor(server, {
      ...emulatedGitHubClient,
      authorizationEndpoint: `${server.origin}/login/oauth/authorize`,
      tokenEndpoint: `${server.origin}/login/oauth/access_token`,
      scopes: ["repo", "gist"],
      ...changes,
    });
  return { server, auth };
}

test("emulated OpenShift: found by RFC 8414 alone, signed in without openid", async () => {
  const { server, auth } = await openShift();
  const token = await auth().getToken();
  expect(token).toMatchObject({ source: "login", tokenType: "Bearer", scopes: ["user:full"] });
  expect([token.idToken, token.claims]).toEqual([undefined, undefined]);
  const lifetime = Number(token.expiresAt) - Date.now();
  expect(lifetime).toBeGreaterThan(86_000_000);
  // Its document lists scopes, none of them openid: none is asked for, and so no nonce.
  const [query] = server.authorizationQueries;
  expect([query?.has("scope"), query?.has("nonce")]).toEqual([false, false]);
  expect(query?.get("code_challenge_method")).toBe("S256");
  expect(server.seen.at(-1)).toBe("POST /oauth/token");
  expect(server.seen).toContain("GET /.well-known/oauth-authorization-server");
  const me = await fetch(`${server.origin}/apis/user.openshift.io/v1/users/~`, {
    headers: { authorization: `Bearer ${token.token}` },
  });
  expect(me.status).toBe(200);
});

test("emulated OpenShift: a scope of its own is asked for and granted", async () => {
  const { server, auth } = await openShift();
  const token = await auth({ scopes: ["user:info", "user:check-access"] }).getToken();
  expect(token.scopes).toEqual(["user:info", "user:check-access"]);
  expect(server.authorizationQueries[0]?.get("scope")).toBe("user:info user:check-access");
  const error = await failureOf(auth({ scopes: ["openid"] }).getToken());
  expect([error.code, error.reason]).toEqual(["authorization_failed", "invalid_scope"]);
});

test("emulated OpenShift: a warm start asks nobody", async () => {
  const { server, auth } = await openShift();
  const { token } = await auth().getToken();
  server.seen.length = 0;
  const warm = await auth().getToken();
  expect([warm.source, warm.token]).toEqual(["cache", token]);
  expect(server.seen).toEqual([]);
});

test("emulated OpenShift: a rejected token is a new sign-in, since nothing can renew it", async () => {
  const { server, auth } = await openShift();
  const { token } = await auth().getToken();
  server.tokens.clear();
  const alone = await failureOf(auth().getToken({ rejectedToken: token, interactive: false }));
  expect([alone.code, alone.reason]).toEqual(["login_required", "no_token"]);
  const renewed = await auth().getToken({ rejectedToken: token });
  expect(renewed.source).toBe("login");
  expect(renewed.token).not.toBe(token);
  // Whoever comes late with the old one gets the new one.
  const late = await auth().getToken({ rejectedToken: token });
  expect([late.source, late.token]).toEqual(["cache", renewed.token]);
  expect(server.tokenForms.every((form) => form.get("grant_type") === "authorization_code")).toBe(
    true,
  );
});

test("emulated OpenShift: who signed in is not known, and said so", async () => {
  const { auth } = await openShift();
  const store = memoryStore();
  const credential = auth({ store });
  await credential.getToken();
  const [record] = await store.list();
  expect(record).not.toHaveProperty("subject");
  expect(record).not.toHaveProperty("idToken");
  expect(record).not.toHaveProperty("refreshToken");
  const error = await failureOf(credential.userInfo());
  expect(error.code).toBe("endpoint_invalid");
  expect(error.message).toContain("names no userinfo endpoint");
  const idToken = await failureOf(
    credential.getToken({ tokenKind: "id_token", interactive: false }),
  );
  expect(idToken.code).toBe("login_required");
  const notGiven = await failureOf(credential.getToken({ tokenKind: "id_token" }));
  expect([notGiven.code, notGiven.reason]).toEqual(["id_token_invalid", "id_token_missing"]);
  expect((await credential.getToken()).source).toBe("cache");
});

test.each([
  ["as JSON, for the header that asks for it", true],
  ["as forms", false],
])("emulated GitHub: signs in with answers %s", async (...row) => {
  const [, honoursAccept] = row;
  const { server, auth } = await gitHub(honoursAccept);
  const token = await auth().getToken();
  expect(token).toMatchObject({ source: "login", tokenType: "Bearer", scopes: ["repo", "gist"] });
  expect(token.token).toMatch(/^gho_/);
  expect(token.expiresAt).toBeUndefined();
  // The secret belongs into the body there, and that was found out with the same code.
  expect(server.tokenForms.map((form) => form.has("client_secret"))).toEqual([false, true]);
  expect(server.seen.filter((each) => each.includes(".well-known"))).toEqual([]);
});

test("emulated GitHub: a token without expiry is served until it is rejected", async () => {
  const { server, auth } = await gitHub(false);
  const { token } = await auth().getToken();
  server.seen.length = 0;
  const warm = await auth().getToken({ minValiditySeconds: 365 * 24 * 3600 });
  expect([warm.source, warm.token]).toEqual(["cache", token]);
  expect(server.seen).toEqual([]);
  const renewed = await auth().getToken({ rejectedToken: token });
  expect([renewed.source, renewed.token === token]).toEqual(["login", false]);
});

test.each([
  ["bad_verification_code", undefined],
  ["redirect_uri_mismatch", undefined],
  ["incorrect_client_credentials", "invalid_client"],
])(
  "emulated GitHub: %s with status 200 is an error, as a form and as JSON [T21]",
  async (...row) => {
    const [error, reason] = row;
    for (const honoursAccept of [true, false]) {
      const { server, auth } = await gitHub(honoursAccept);
      server.failWith(error);
      const failure = await failureOf(auth().getToken());
      expect(failure).toMatchObject({ code: "token_request_failed", providerError: error });
      expect(failure.reason).toBe(reason);
      expect(failure.message).not.toContain(emulatedGitHubClient.clientSecret);
    }
  },
);
