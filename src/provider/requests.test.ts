// What each request says, letter by letter: providers and gateways before them have opinions about order and form.
import { describe, expect, test } from "vitest";
import { Secret } from "../core/secret.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { authorizationParameters } from "./authorization-request.ts";
import { authenticatedRequest } from "./client-authentication.ts";
import { clientCredentialsParameters } from "./client-credentials.ts";
import { codeParameters } from "./code-exchange.ts";
import { deviceParameters, pollParameters } from "./device-authorization.ts";
import { keySetRequest } from "./key-set.ts";
import { pushedAuthorizationRequest } from "./pushed-authorization.ts";
import { refreshParameters } from "./refresh-tokens.ts";
import { revocationRequest } from "./revocation-endpoint.ts";
import { tokenRequest } from "./token-request.ts";
import { userInfoRequest } from "./userinfo-endpoint.ts";

const issuer = "https://id.example.com";
const { signal } = new AbortController();
const target = { audience: "api", resources: ["https://a.example/", "https://b.example/?q=ä"] };
const client = { clientId: "c:l ü", clientSecret: new Secret("s&+%") };
const basic = "Basic YyUzQWwrJUMzJUJDOnMlMjYlMkIlMjU=";
const codeVerifier = "v".repeat(43);

const textOf = ({ form, signal: _signal, ...rest }: HttpRequest): object => ({
  ...rest,
  ...(form === undefined ? {} : { form: form.toString() }),
});

describe("token endpoint", () => {
  const audience =
    "audience=api&resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F%3Fq%3D%C3%A4";
  const refresh = { refreshToken: "r/t+1", scopes: ["a", "b"], options: { issuer } };

  test.each<[string, URLSearchParams, string]>([
    [
      "authorization_code",
      codeParameters({
        ...target,
        code: "c/o+d",
        redirectUri: "http://127.0.0.1:1/cb",
        codeVerifier,
      }),
      `${audience}&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&code=c%2Fo%2Bd&code_verifier=${codeVerifier}`,
    ],
    [
      "authorization_code",
      codeParameters({ code: "c", redirectUri: "http://127.0.0.1:1/cb", codeVerifier: undefined }),
      "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&code=c",
    ],
    ["refresh_token", refreshParameters(refresh), "refresh_token=r%2Ft%2B1"],
    [
      "refresh_token",
      refreshParameters({ ...refresh, ...target, sendScopes: true }),
      `${audience}&scope=a+b&refresh_token=r%2Ft%2B1`,
    ],
    ["client_credentials", clientCredentialsParameters({ scopes: ["a", "b"] }), "scope=a+b"],
    ["client_credentials", clientCredentialsParameters({ scopes: undefined, ...target }), audience],
    [
      "urn:ietf:params:oauth:grant-type:device_code",
      pollParameters({ ...target, tokenResources: ["https://a.example/"] }, "d c", codeVerifier),
      `audience=api&resource=https%3A%2F%2Fa.example%2F&code_verifier=${codeVerifier}&device_code=d+c`,
    ],
  ])("%s: %s", (grantType, parameters, written) => {
    const request = { tokenEndpoint: `${issuer}/token`, client, grantType, parameters, signal };
    const grant = `grant_type=${encodeURIComponent(grantType)}`;
    const common = { method: "POST", url: `${issuer}/token`, step: "token request" };
    const first = written === "" ? grant : `${written}&${grant}`;
    expect(textOf(tokenRequest(request, "client_secret_basic"))).toEqual({
      ...common,
      headers: { authorization: basic },
      form: first,
    });
    expect(textOf(tokenRequest(request, "client_secret_post"))).toEqual({
      ...common,
      form: `${first}&client_id=c%3Al+%C3%BC&client_secret=s%26%2B%25`,
    });
    expect(textOf(tokenRequest(request, "none"))).toEqual({
      ...common,
      form: `${first}&client_id=c%3Al+%C3%BC`,
    });
    // A second try starts from the same parameters.
    expect(parameters.toString()).toBe(written);
  });
});

test("the scope of a refresh is sent only where it is asked for, or the provider needs it", () => {
  const refresh = { refreshToken: "r", scopes: ["a", "b"] };
  const entra = { issuer: "https://login.microsoftonline.com/common/v2.0" };
  expect(refreshParameters({ ...refresh, options: { issuer } }).has("scope")).toBe(false);
  expect(refreshParameters({ ...refresh, options: entra }).get("scope")).toBe("a b");
  expect(refreshParameters({ ...refresh, scopes: [], options: entra }).has("scope")).toBe(false);
});

test("device authorization: the client is named, however it proves itself", () => {
  const input = {
    ...client,
    ...target,
    resources: ["r"],
    scopes: undefined,
    offlineAccess: false,
    maxAgeSeconds: 3,
    acrValues: ["x", "y"],
  };
  const written =
    "audience=api&resource=r&scope=openid+a&max_age=3&acr_values=x+y&code_challenge=7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM&code_challenge_method=S256&client_id=c%3Al+%C3%BC";
  const parameters = deviceParameters(input, ["openid", "a"], codeVerifier);
  expect(parameters.toString()).toBe(written);
  const request = { url: `${issuer}/device`, step: "device", client, parameters, signal };
  expect(textOf(authenticatedRequest(request, "client_secret_basic"))).toMatchObject({
    headers: { authorization: basic },
    form: parameters.toString(),
  });
  expect(textOf(authenticatedRequest(request, "client_secret_post"))).toMatchObject({
    form: `${parameters.toString()}&client_secret=s%26%2B%25`,
  });
});

test("authorization request: own parameters come last, so that none of the caller's takes their place", () => {
  const input = {
    clientId: "cli",
    redirectUri: "http://127.0.0.1:1/cb",
    scopes: undefined,
    pkce: true,
    offlineAccess: true,
    prompt: "login",
    maxAgeSeconds: 5,
    acrValues: ["a", "b"],
    loginHint: "al ice",
    responseMode: "form_post" as const,
    extraParameters: { ui_locales: "de fr" },
    audience: "api",
  };
  const attempt = { state: "s", nonce: "n", codeVerifier, scopes: ["openid", "a"] };
  const parameters = authorizationParameters(input, attempt, issuer);
  expect([...parameters.keys()].join(" ")).toBe(
    "audience prompt ui_locales response_type response_mode client_id redirect_uri scope state nonce max_age acr_values login_hint code_challenge code_challenge_method",
  );
  expect(Object.fromEntries(parameters)).toMatchObject({
    prompt: "login",
    response_type: "code",
    scope: "openid a",
    acr_values: "a b",
  });
  const least = authorizationParameters(
    { clientId: "cli", redirectUri: "urn:x", scopes: [], pkce: false, offlineAccess: false },
    { state: "s", nonce: undefined, codeVerifier: undefined, scopes: [] },
    issuer,
  );
  expect(least.toString()).toBe("response_type=code&client_id=cli&redirect_uri=urn%3Ax&state=s");
});

test("pushed authorization request: the same parameters, the client by one method", () => {
  const parameters = new URLSearchParams({ response_type: "code", client_id: client.clientId });
  const request = { url: `${issuer}/par`, client, parameters, signal };
  const step = "pushed authorization request";
  const written = "response_type=code&client_id=c%3Al+%C3%BC";
  expect(textOf(pushedAuthorizationRequest(request, "client_secret_basic"))).toEqual({
    method: "POST",
    url: `${issuer}/par`,
    step,
    headers: { authorization: basic },
    form: written,
  });
  expect(textOf(pushedAuthorizationRequest(request, "client_secret_post"))).toMatchObject({
    form: `${written}&client_secret=s%26%2B%25`,
  });
});

test("revocation: the kind of the token, the token, the client", () => {
  const input = {
    ...client,
    revocationEndpoint: `${issuer}/revoke`,
    token: new Secret("t/+ k"),
    tokenTypeHint: "refresh_token" as const,
  };
  const written = "token_type_hint=refresh_token&token=t%2F%2B+k";
  expect(textOf(revocationRequest(input, "client_secret_basic", signal))).toEqual({
    method: "POST",
    url: `${issuer}/revoke`,
    step: "revocation",
    headers: { authorization: basic },
    form: written,
  });
  expect(textOf(revocationRequest(input, "none", signal))).toMatchObject({
    form: `${written}&client_id=c%3Al+%C3%BC`,
  });
});

test("userinfo and key set: a GET with what is taken for an answer", () => {
  const input = { userinfoEndpoint: `${issuer}/userinfo`, accessToken: new Secret("at.b") };
  expect(textOf(userInfoRequest(input, signal))).toEqual({
    method: "GET",
    url: `${issuer}/userinfo`,
    step: "userinfo",
    headers: { authorization: "Bearer at.b" },
    accept: "application/json, application/jwt",
  });
  expect(textOf(keySetRequest(`${issuer}/jwks`, signal))).toEqual({
    method: "GET",
    url: `${issuer}/jwks`,
    step: "key set",
    accept: "application/jwk-set+json, application/json",
    metadata: true,
  });
});
