// Changes with the translations of providers' errors.
import { expect, test } from "vitest";
import { sentences, worded } from "../core/wording.ts";
import { reasonOf } from "./error-words-meaning.ts";
import { adviceFor } from "./error-words.ts";

test.each<[string, string | undefined, boolean, string | undefined, RegExp]>([
  ["invalid_request", "client_secret is missing.", false, undefined, /Set `clientSecret`/],
  [
    "invalid_client",
    "AADSTS7000218: The request body must contain …",
    false,
    undefined,
    /public client flows/,
  ],
  ["invalid_request", "AADSTS9002327: Tokens issued for …", false, undefined, /Mobile and desktop/],
  ["invalid_request", "AADSTS50011: The redirect URI 'x' …", false, undefined, /redirectUri/],
  ["invalid_client", undefined, false, undefined, /wants a secret.*clientSecret/],
  ["invalid_client", undefined, false, "authorization_code", /none was sent\. Set `clientSecret`/],
  ["insufficient_scope", undefined, false, undefined, /openid .* Add it to `scopes`/],
  ["invalid_client", undefined, true, undefined, /`clientId` and `clientSecret`/],
  ["redirect_uri_mismatch", undefined, false, undefined, /Register the one that is sent/],
  ["invalid_request", "Invalid parameter: redirect_uri", false, undefined, /Register the one/],
  [
    "invalid_redirect_uri",
    "redirect_uri did not match any registered",
    false,
    undefined,
    /Register/,
  ],
  [
    "unauthorized_client",
    "Callback URL mismatch. x is not in the list",
    false,
    undefined,
    /Register/,
  ],
  ["unauthorized_client", undefined, false, undefined, /authorization code flow/],
  ["unauthorized_client", undefined, true, "client_credentials", /may not use client credentials/],
  [
    "unauthorized_client",
    "Invalid client or Invalid client credentials",
    false,
    undefined,
    /clientSecret/,
  ],
  [
    "unauthorized_client",
    "Invalid client or Invalid client credentials",
    true,
    "client_credentials",
    /clientSecret/,
  ],
  ["unauthorized_client", undefined, true, "authorization_code", /clientSecret/],
  ["invalid_grant", undefined, false, "refresh_token", /Sign in again/],
  ["invalid_grant", undefined, false, "authorization_code", /code was used/],
  ["invalid_request", "code_challenge is required", false, undefined, /Check `pkce`/],
])("%s %j (secret sent: %s, grant %s)", (error, description, secretSent, grantType, expected) => {
  const { meaning = "", remedy = [] } =
    adviceFor({ error, description, secretSent, grantType }) ?? {};
  expect(worded(sentences(meaning, remedy))).toMatch(expected);
});

test("what nobody knows gets no advice, and is no reason", () => {
  expect(adviceFor({ error: "x", description: "y", secretSent: false })).toBeUndefined();
  expect(reasonOf("x")).toBeUndefined();
  expect(reasonOf("constructor")).toBeUndefined();
  expect(reasonOf("invalid_grant")).toBe("invalid_grant");
});
