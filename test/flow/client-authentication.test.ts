// A secret that the provider wants in the other place than its metadata says, or leaves open. The provider is real and
// takes one method for each client.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OidcCredentialsAuth } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { HostileAnswer, TamperPath } from "../support/provider-tampering.ts";
import { credential, emptyHome, failureOf, pollQuickly, provider } from "./harness.ts";

/** How each token request had the secret. */
function methodsOf(identityProvider: IdentityProvider): string[] {
  return identityProvider.requestsOf("token").map(({ headers, body }) => {
    if (headers.authorization?.startsWith("Basic ") === true) return "basic";
    return new URLSearchParams(body).has("client_secret") ? "post" : "none";
  });
}

/** The document names one method, whatever the client is registered for. */
function listOnly(identityProvider: IdentityProvider, method: string): void {
  identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const document = {
        ...JSON.parse(real.body),
        token_endpoint_auth_methods_supported: [method],
      };
      return { ...real, body: JSON.stringify(document) };
    },
  });
}

/** The real provider takes the secret in either place; a stricter one looks at the place first. */
function takeOnly(
  identityProvider: IdentityProvider,
  method: "basic" | "post",
  paths: readonly TamperPath[] = ["token"],
): void {
  for (const path of paths) {
    identityProvider.tamper({
      path,
      respond: async ({ headers }, genuine) =>
        (headers["authorization"] === undefined) === (method === "post")
          ? genuine()
          : {
              status: 401,
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ error: "invalid_client" }),
            },
    });
  }
}

function refuse(identityProvider: IdentityProvider, status: number, error: string): void {
  const answer: HostileAnswer = {
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ error }),
  };
  identityProvider.tamper({ path: "token", respond: async () => answer });
}

test.each([
  ["basic", "post", "client_secret_basic", "confidentialPost"],
  ["post", "basic", "client_secret_post", "confidentialBasic"],
] as const)(
  "%s is refused with invalid_client: %s is tried once, works and is remembered [T25]",
  async (first, second, listed, name) => {
    emptyHome();
    const identityProvider = await provider();
    listOnly(identityProvider, listed);
    takeOnly(identityProvider, second);
    const client = identityProvider.clients[name];
    const auth = credential(identityProvider, client);
    expect((await auth.getToken()).source).toBe("login");
    expect(methodsOf(identityProvider)).toEqual([first, second]);
    // The code of the first request was not used up, and was the same one.
    const codes = identityProvider.tokenRequests().map((body) => body.get("code"));
    expect(new Set(codes).size).toBe(1);
    identityProvider.resetRequests();
    expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
    expect(methodsOf(identityProvider)).toEqual([second]);
  },
);

test("a refresh finds the other method too, and remembers it [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider, identityProvider.clients.confidentialBasic);
  await auth.getToken();
  expect(readFileSync(auth.resolvedCachePath(), "utf8")).toContain('"client_secret_basic"');
  // The registration was changed since.
  identityProvider.tamper({
    path: "token",
    respond: async ({ headers, body }) => {
      const isPost = headers["authorization"] === undefined && body.includes("client_secret=");
      const members = isPost
        ? { access_token: "renewed", token_type: "Bearer", expires_in: 3600 }
        : { error: "invalid_client" };
      return {
        status: isPost ? 200 : 401,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(members),
      };
    },
  });
  identityProvider.resetRequests();
  await auth.getToken({ forceRefresh: true });
  await auth.getToken({ forceRefresh: true });
  expect(methodsOf(identityProvider)).toEqual(["basic", "post", "post"]);
  expect(readFileSync(auth.resolvedCachePath(), "utf8")).toContain('"client_secret_post"');
});

test("client credentials find the other method, and another program remembers it until it fails [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  takeOnly(identityProvider, "post");
  const make = (): OidcCredentialsAuth =>
    new OidcCredentialsAuth({
      issuer: identityProvider.issuer,
      ...identityProvider.clients.confidentialPost,
    });
  expect((await make().getToken()).source).toBe("login");
  expect(methodsOf(identityProvider)).toEqual(["basic", "post"]);
  identityProvider.resetRequests();
  expect((await make().getToken({ forceRefresh: true })).source).toBe("login");
  expect(methodsOf(identityProvider)).toEqual(["post"]);
  // The registration was changed since.
  identityProvider.resetRequests();
  identityProvider.tamper({
    path: "token",
    respond: async ({ headers }) => {
      const isBasic = headers["authorization"] !== undefined;
      const members = isBasic
        ? { access_token: "renewed", token_type: "Bearer", expires_in: 3600 }
        : { error: "invalid_client" };
      return {
        status: isBasic ? 200 : 401,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(members),
      };
    },
  });
  await make().getToken({ forceRefresh: true });
  await make().getToken({ forceRefresh: true });
  expect(methodsOf(identityProvider)).toEqual(["post", "basic", "basic"]);
});

test("a later sign-in begins with the method that worked, by browser and by device code [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  takeOnly(identityProvider, "post", ["token", "device"]);
  const client = identityProvider.clients.confidentialPost;
  await credential(identityProvider, client).getToken();
  identityProvider.resetRequests();
  for (const flow of ["auth_code", "device"] as const) {
    const auth = credential(identityProvider, { ...client, flow, forceLogin: true });
    expect((await auth.getToken()).source).toBe("login");
  }
  expect(new Set(methodsOf(identityProvider))).toEqual(new Set(["post"]));
  expect(identityProvider.requestsOf("device")).toHaveLength(1);
});

test("a revocation finds the other method, once for all tokens [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider, identityProvider.clients.confidentialBasic);
  await auth.getToken();
  // The revocation endpoint wants the secret elsewhere than the token endpoint.
  identityProvider.tamper({
    path: "revocation",
    respond: async ({ body }) =>
      new URLSearchParams(body).has("client_secret")
        ? { status: 200, body: "" }
        : { status: 401, body: JSON.stringify({ error: "invalid_client" }) },
  });
  expect(await auth.logout({ revoke: true })).toMatchObject({ revoked: "yes" });
  const revocations = identityProvider.requestsOf("revocation").map(({ headers, body }) => {
    const form = new URLSearchParams(body);
    return [form.get("token_type_hint"), headers.authorization === undefined];
  });
  expect(revocations).toEqual([
    ["refresh_token", false],
    ["refresh_token", true],
    ["access_token", true],
  ]);
});

test("the device flow finds the other method with its first request, and polls with it [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  takeOnly(identityProvider, "post");
  identityProvider.tamper({
    path: "device",
    times: 1,
    respond: async () => ({
      status: 401,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: "invalid_client" }),
    }),
  });
  const auth = credential(identityProvider, {
    ...identityProvider.clients.confidentialPost,
    flow: "device",
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(identityProvider.requestsOf("device")).toHaveLength(2);
  expect(new Set(methodsOf(identityProvider))).toEqual(new Set(["post"]));
});

test("a device flow whose secret is looked at in the polls alone finds the other method there [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  let isPending = true;
  identityProvider.tamper({
    path: "token",
    respond: async ({ headers }, genuine) => {
      const isPost = headers["authorization"] === undefined;
      if (isPost && !isPending) return genuine();
      if (isPost) isPending = false;
      return {
        status: isPost ? 400 : 401,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ error: isPost ? "authorization_pending" : "invalid_client" }),
      };
    },
  });
  const auth = credential(identityProvider, {
    ...identityProvider.clients.confidentialPost,
    flow: "device",
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(identityProvider.requestsOf("device")).toHaveLength(1);
  const methods = methodsOf(identityProvider);
  expect(methods.length).toBeGreaterThan(2);
  expect(methods).toEqual(["basic", ...methods.slice(1).map(() => "post")]);
});

test("a wrong secret is tried in both places, once each, and never costs the refresh token [R12]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { confidentialBasic } = identityProvider.clients;
  const auth = credential(identityProvider, confidentialBasic);
  await auth.getToken();
  identityProvider.resetRequests();
  const wrong = credential(identityProvider, {
    ...confidentialBasic,
    clientSecret: "another-secret",
  });
  const error = await failureOf(wrong.getToken({ forceRefresh: true }));
  expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_client"]);
  expect(methodsOf(identityProvider)).toEqual(["basic", "post"]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test.each([
  ["unauthorized_client", 403],
  ["unauthorized_client", 400],
  ["invalid_request", 400],
  ["invalid_scope", 400],
] as const)("%s with %i is final: the secret is not sent a second time [T25]", async (...row) => {
  const [error, status] = row;
  emptyHome();
  const identityProvider = await provider();
  refuse(identityProvider, status, error);
  const auth = credential(identityProvider, identityProvider.clients.confidentialBasic);
  expect((await failureOf(auth.getToken())).providerError).toBe(error);
  expect(methodsOf(identityProvider)).toEqual(["basic"]);
});

test("a client without a secret is not tried in another way [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  refuse(identityProvider, 401, "invalid_client");
  expect((await failureOf(credential(identityProvider).getToken())).reason).toBe("invalid_client");
  expect(methodsOf(identityProvider)).toEqual(["none"]);
});

test("a 401 that does not say invalid_client is final [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  identityProvider.tamper({ path: "token", respond: async () => ({ status: 401, body: "" }) });
  const auth = credential(identityProvider, identityProvider.clients.confidentialBasic);
  expect((await failureOf(auth.getToken())).code).toBe("token_request_failed");
  expect(methodsOf(identityProvider)).toEqual(["basic"]);
});
