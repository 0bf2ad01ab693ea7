// Pushed authorization requests against a real provider that takes nothing else from this client.

import { expect, test } from "vitest";
import type { OidcAuthOptions } from "../../src/index.ts";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { HostileAnswer } from "../support/provider-tampering.ts";
import { credential, desktop, emptyHome, failureOf, person, provider } from "./harness.ts";

const redirectUris = ["http://127.0.0.1/callback"];
const publicClient = { clientId: "pushing-client" };
const confidentialClient = { clientId: "pushing-post", clientSecret: "pushing-secret-value" };

/** A provider whose clients must push, and whose document says so. */
async function pushingProvider(document: Record<string, unknown> = {}): Promise<IdentityProvider> {
  const common = {
    application_type: "native",
    redirect_uris: redirectUris,
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
    require_pushed_authorization_requests: true,
  };
  const identityProvider = await provider({
    clients: [
      { ...common, client_id: publicClient.clientId, token_endpoint_auth_method: "none" },
      {
        ...common,
        client_id: confidentialClient.clientId,
        client_secret: confidentialClient.clientSecret,
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
  });
  identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const changed = {
        ...JSON.parse(real.body),
        require_pushed_authorization_requests: true,
        ...document,
      };
      return { ...real, body: JSON.stringify(changed) };
    },
  });
  return identityProvider;
}

const everything: OidcAuthOptions = {
  maxAge: 300,
  acrValues: ["a", "b"],
  loginHint: "alice",
  extraAuthorizationParams: { ui_locales: "de" },
};

test("where the provider requires it the parameters are pushed, and the browser carries a reference [A13]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider();
  const someone = person();
  const token = await credential(identityProvider, {
    ...desktop(identityProvider, someone),
    ...everything,
    ...publicClient,
  }).getToken();
  expect([token.source, token.claims?.sub]).toEqual(["login", "alice"]);
  const [visited = ""] = someone.visits;
  const carried = [...new URL(visited).searchParams];
  expect(carried.map(([name]) => name)).toEqual(["client_id", "request_uri"]);
  const pushes = identityProvider.requestsOf("pushedAuthorization");
  expect(pushes).toHaveLength(1);
  const pushed = Object.fromEntries(new URLSearchParams(pushes[0]?.body));
  expect(pushed).toMatchObject({
    client_id: publicClient.clientId,
    response_type: "code",
    code_challenge_method: "S256",
    max_age: "300",
    acr_values: "a b",
    login_hint: "alice",
    ui_locales: "de",
  });
  expect(pushed["state"]).toHaveLength(43);
  expect(pushed["nonce"]).toHaveLength(43);
  expect(pushed).not.toHaveProperty("code_verifier");
  // One request more than without: discovery, the push, the token and the keys.
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, token: 1, jwks: 1, total: 4 });
});

test("this client gets nothing through the browser alone, so the push is what signs it in [A13]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider({ require_pushed_authorization_requests: false });
  const error = await failureOf(credential(identityProvider, publicClient).getToken());
  expect(identityProvider.requestsOf("pushedAuthorization")).toEqual([]);
  expect(error.code).toBe("authorization_failed");
});

test("the client authenticates as at the token endpoint [A13][T25]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider({
    token_endpoint_auth_methods_supported: ["client_secret_post"],
  });
  const auth = credential(identityProvider, confidentialClient);
  expect((await auth.getToken()).source).toBe("login");
  const [push] = identityProvider.requestsOf("pushedAuthorization");
  expect(push?.headers.authorization).toBeUndefined();
  for (const form of [new URLSearchParams(push?.body), identityProvider.tokenRequests()[0]]) {
    expect(form?.get("client_secret")).toBe(confidentialClient.clientSecret);
  }
});

test("a secret that is refused in one place is pushed in the other, and the token request starts there [A13][T25]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider();
  identityProvider.tamper({
    path: "pushedAuthorization",
    times: 1,
    respond: async () => answered(401, { error: "invalid_client" }),
  });
  expect((await credential(identityProvider, confidentialClient).getToken()).source).toBe("login");
  const pushes = identityProvider.requestsOf("pushedAuthorization");
  expect(pushes.map(({ headers }) => headers.authorization === undefined)).toEqual([false, true]);
  expect(identityProvider.authorizationHeaders()).toEqual([undefined]);
});

test("without an endpoint for it no browser opens and nothing is sent [A13]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider({
    pushed_authorization_request_endpoint: undefined,
  });
  const someone = person();
  const error = await failureOf(
    credential(identityProvider, {
      ...desktop(identityProvider, someone),
      ...publicClient,
    }).getToken(),
  );
  expect([error.code, error.reason]).toEqual(["authorization_failed", "par_required"]);
  expect(someone.visits).toEqual([]);
  expect(identityProvider.requests()).toMatchObject({ authorization: 0, total: 1 });
});

test("an endpoint that is not fit is refused where it is needed, and not looked at where it is not [A13]", async () => {
  emptyHome();
  const unfit = { pushed_authorization_request_endpoint: "http://id.example.com/par" };
  const required = await pushingProvider(unfit);
  const error = await failureOf(credential(required, publicClient).getToken());
  expect([error.code, error.reason]).toEqual([
    "endpoint_invalid",
    "pushed_authorization_request_endpoint",
  ]);
  const optional = await pushingProvider({
    ...unfit,
    require_pushed_authorization_requests: false,
  });
  expect((await credential(optional).getToken()).source).toBe("login");
});

const json = { "content-type": "application/json" };
const good = { request_uri: "urn:ietf:params:oauth:request_uri:abc", expires_in: 60 };

function answered(status: number, body: unknown): HostileAnswer {
  return { status, headers: json, body: JSON.stringify(body) };
}

test.each<[string, HostileAnswer, string, string | undefined]>([
  ["status 200", answered(200, good), "authorization_failed", "par_response_invalid"],
  [
    "no request_uri",
    answered(201, { expires_in: 60 }),
    "authorization_failed",
    "par_response_invalid",
  ],
  [
    "a request_uri that is no URI",
    answered(201, { ...good, request_uri: "a b" }),
    "authorization_failed",
    "par_response_invalid",
  ],
  [
    "an endless request_uri",
    answered(201, { ...good, request_uri: `urn:${"x".repeat(5000)}` }),
    "authorization_failed",
    "par_response_invalid",
  ],
  [
    "a request_uri that has ended",
    answered(201, { ...good, expires_in: 0 }),
    "authorization_failed",
    "par_response_invalid",
  ],
  [
    "no expires_in",
    answered(201, { request_uri: good.request_uri }),
    "authorization_failed",
    "par_response_invalid",
  ],
  [
    "a web page",
    { status: 201, headers: { "content-type": "text/html" }, body: "<html>" },
    "authorization_failed",
    "par_response_invalid",
  ],
  ["a refusal", answered(400, { error: "invalid_scope" }), "authorization_failed", "invalid_scope"],
  [
    "a refusal with 201",
    answered(201, { ...good, error: "invalid_request" }),
    "authorization_failed",
    "invalid_request",
  ],
  ["a failure", answered(500, {}), "network", "server_error"],
  [
    "a busy provider",
    answered(400, { error: "temporarily_unavailable" }),
    "network",
    "temporarily_unavailable",
  ],
])("%s in answer to a push ends the sign-in before any browser [A13]", async (...row) => {
  const [, answer, code, reason] = row;
  emptyHome();
  const identityProvider = await pushingProvider();
  identityProvider.tamper({ path: "pushedAuthorization", respond: async () => answer });
  const someone = person();
  const error = await failureOf(
    credential(identityProvider, {
      ...desktop(identityProvider, someone),
      ...confidentialClient,
    }).getToken(),
  );
  expect([error.code, error.reason]).toEqual([code, reason]);
  expect(someone.visits).toEqual([]);
  expect(identityProvider.requests().token).toBe(0);
});

test("a refusal that repeats what was pushed does not reach the message [O01]", async () => {
  emptyHome();
  const identityProvider = await pushingProvider();
  identityProvider.tamper({
    path: "pushedAuthorization",
    respond: async ({ body }) =>
      answered(400, { error: "invalid_request", error_description: body }),
  });
  const error = await failureOf(credential(identityProvider, confidentialClient).getToken());
  expect(error.code).toBe("authorization_failed");
  expectNoSecrets(
    JSON.stringify([error.message, error.serialize()]),
    secretsOf([identityProvider]),
  );
});
