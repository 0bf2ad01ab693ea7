// Changes with how clients prove themselves.
import { expect, test } from "vitest";
import type { ProtocolReason } from "../core/error-codes.ts";
import { OidcError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import {
  authenticatedRequest,
  chooseAuthenticationMethod,
  fittingMethod,
  withClientAuthentication,
} from "./client-authentication.ts";
import type { ClientAuthenticationMethod } from "./client-authentication.ts";

function sent(method: ClientAuthenticationMethod, clientId: string, secret?: string) {
  const client =
    secret === undefined ? { clientId } : { clientId, clientSecret: new Secret(secret) };
  const { form, headers } = authenticatedRequest(
    {
      url: "https://id.example/token",
      step: "token request",
      client,
      parameters: new URLSearchParams(),
      signal: undefined,
    },
    method,
  );
  const authorization = headers?.["authorization"] ?? null;
  return { body: Object.fromEntries(form ?? []), authorization };
}

test.each([
  ["a:b", "s:%+ü &=€"],
  ["my-client_1.0", "plain-secret_1"],
  ["ü", "😀"],
])("id %j and secret %j survive Basic [T25]", async (clientId, secret) => {
  const { body, authorization } = sent("client_secret_basic", clientId, secret);
  expect(body).toEqual({});
  const pair = Buffer.from(authorization?.slice("Basic ".length) ?? "", "base64").toString("ascii");
  const parts = pair.split(":").map((part) => new URLSearchParams(`v=${part}`).get("v"));
  expect(parts).toEqual([clientId, secret]);
});

test("dashes, dots and underscores stay readable for servers that do not decode [T25]", async () => {
  const { authorization } = sent("client_secret_basic", "my-client", "a-b_c.d");
  expect(authorization).toBe(`Basic ${Buffer.from("my-client:a-b_c.d").toString("base64")}`);
});

test("one method per request [T25]", async () => {
  const post = sent("client_secret_post", "c", "s");
  expect(post).toEqual({ body: { client_id: "c", client_secret: "s" }, authorization: null });
  const none = sent("none", "c", "s");
  expect(none).toEqual({ body: { client_id: "c" }, authorization: null });
});

test.each<[string[] | undefined, boolean, ClientAuthenticationMethod]>([
  [undefined, false, "none"],
  [["client_secret_basic"], false, "none"],
  [undefined, true, "client_secret_basic"],
  [["client_secret_post", "client_secret_basic"], true, "client_secret_basic"],
  [["client_secret_post"], true, "client_secret_post"],
  [["private_key_jwt"], true, "client_secret_basic"],
  [[], true, "client_secret_basic"],
])("listed %j, secret %s: %s [T25]", (listed, hasSecret, expected) => {
  const clientSecret = hasSecret ? new Secret("s") : undefined;
  expect(chooseAuthenticationMethod(listed, { clientSecret })).toBe(expected);
});

test("what worked before comes before what is listed, where a secret was sent and is still there [T25]", () => {
  const clientSecret = new Secret("s");
  const listed = ["client_secret_basic"];
  const choose = (knownMethod: ClientAuthenticationMethod, secret?: Secret) =>
    chooseAuthenticationMethod(listed, { clientSecret: secret, knownMethod });
  expect(choose("client_secret_post", clientSecret)).toBe("client_secret_post");
  expect(choose("none", clientSecret)).toBe("client_secret_basic");
  expect(choose("client_secret_post")).toBe("none");
});

test("a sign-in's method follows a secret that was set or removed since", () => {
  const secret = new Secret("s");
  expect(fittingMethod("none", secret)).toBe("client_secret_basic");
  expect(fittingMethod("client_secret_post", secret)).toBe("client_secret_post");
  expect(fittingMethod("client_secret_basic", undefined)).toBe("none");
});

test.each<[ProtocolReason | undefined, ProtocolReason | undefined, string]>([
  ["invalid_client", "invalid_client", "refresh_token"],
  ["invalid_request", "invalid_client", "refresh_token"],
  ["unauthorized_client", "invalid_client", "refresh_token"],
  ["invalid_grant", "invalid_grant", "refresh_token"],
  ["invalid_grant", "invalid_client", "authorization_code"],
  ["invalid_scope", "invalid_scope", "authorization_code"],
  [undefined, undefined, "authorization_code"],
])("after invalid_client, %s: the error is about %s (%s)", async (second, thrown, grantType) => {
  const tried: ClientAuthenticationMethod[] = [];
  const attempt = withClientAuthentication(
    "client_secret_post",
    async (method) => {
      const reason = tried.length === 0 ? "invalid_client" : second;
      tried.push(method);
      throw reason === undefined
        ? new OidcError("network", "no")
        : new OidcError("token_request_failed", "no", { reason });
    },
    grantType,
  );
  await expect(attempt).rejects.toMatchObject({
    code: thrown === undefined ? "network" : "token_request_failed",
    ...(thrown === undefined ? {} : { reason: thrown }),
  });
  expect(tried).toEqual(["client_secret_post", "client_secret_basic"]);
});

test("an empty secret is sent as an empty field, and proves nothing", async () => {
  const secret = new Secret("");
  for (const listed of [undefined, ["client_secret_basic"], ["client_secret_post"]]) {
    expect(chooseAuthenticationMethod(listed, { clientSecret: secret })).toBe("none");
  }
  expect(fittingMethod("client_secret_basic", secret)).toBe("none");
  const none = sent("none", "c", "");
  expect(none).toEqual({ body: { client_id: "c", client_secret: "" }, authorization: null });
});

// https://github.com/Automattic/wp-openid-connect-server/pull/116, https://github.com/gitroomhq/postiz-app/pull/2093
test.each([
  "Missing required parameter: client_id",
  "rest_missing_callback_param: Missing parameter(s): client_id, client_secret",
  "client_id should not be null",
  "The client_secret parameter is required.",
])(
  "Basic that was not looked at (%j) has the body tried, whose outcome counts [F-P secret-basic-answered-with-invalid-request]",
  async (providerErrorDescription) => {
    const unseen = new OidcError("token_request_failed", "no", {
      reason: "invalid_request",
      providerErrorDescription,
    });
    const tried: ClientAuthenticationMethod[] = [];
    const first = await withClientAuthentication("client_secret_basic", async (method) => {
      tried.push(method);
      if (method === "client_secret_basic") throw unseen;
      return "tokens";
    });
    expect(first).toEqual({ result: "tokens", method: "client_secret_post" });
    const wrong = new OidcError("token_request_failed", "no", { reason: "invalid_client" });
    const second = withClientAuthentication("client_secret_basic", async (method) => {
      throw method === "client_secret_basic" ? unseen : wrong;
    });
    await expect(second).rejects.toBe(wrong);
    // With the body it was looked at, and nothing else is left to try.
    const body = withClientAuthentication("client_secret_post", async () => Promise.reject(unseen));
    await expect(body).rejects.toBe(unseen);
    expect(tried).toEqual(["client_secret_basic", "client_secret_post"]);
  },
);

test.each(["Unknown client_id", "The redirect_uri is missing", "code is required"])(
  "%j is no such thing",
  async (providerErrorDescription) => {
    const tried: ClientAuthenticationMethod[] = [];
    const refused = withClientAuthentication("client_secret_basic", async (method) => {
      tried.push(method);
      throw new OidcError("token_request_failed", "no", { providerErrorDescription });
    });
    await expect(refused).rejects.toMatchObject({ code: "token_request_failed" });
    expect(tried).toEqual(["client_secret_basic"]);
  },
);
