// Changes with the disguises in which a secret is found.
import { expect, test } from "vitest";
import { runCodeFlow, tokensOf } from "./authorization-code.ts";
import { expectNoSecrets, secretsOf } from "./canary.ts";
import { startIdentityProvider } from "./identity-provider.ts";

const secret = 'canary/+ "secret"';

test.each([
  ["plain", secret],
  ["in a URL", `https://idp.example/?code=${encodeURIComponent(secret)}`],
  ["in JSON", JSON.stringify({ code: secret })],
  ["in Base64", Buffer.from(secret).toString("base64")],
  ["in a Base64 URL", Buffer.from(secret).toString("base64url")],
  ["in a Basic header", `Basic ${Buffer.from(`a:${secret}`).toString("base64")}`],
  ["in another Basic header", `Basic ${Buffer.from(`ab:${secret}`).toString("base64")}`],
  ["in a third Basic header", `Basic ${Buffer.from(`abc:${secret}`).toString("base64")}`],
  ["in bytes", Buffer.from(`\u0000${secret}\u0000`)],
])("finds a secret %s, and does not repeat it", (_where, text) => {
  expect(() => expectNoSecrets(text, ["unrelated secret", secret])).toThrow(
    "secret 1 of 2 (17 characters) stands after",
  );
  expect(() => expectNoSecrets(text, [secret])).not.toThrow(secret);
  expectNoSecrets(text, [secret], [secret]);
});

test("finds the signature of a token, lets other text pass, refuses short secrets", () => {
  const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
  expect(() => expectNoSecrets("…c2lnbmF0dXJl", [token])).toThrow("secret 0 of 1");
  expectNoSecrets("Signed in to id.example.com as alice@example.com.", [token, secret]);
  expect(() => expectNoSecrets("text", ["short"])).toThrow("too short");
});

test("gathers everything secret of a sign-in", async () => {
  const provider = await startIdentityProvider();
  try {
    const flow = await runCodeFlow(provider);
    const secrets = secretsOf([provider], ["one more of the test"]);
    expect(secrets).toEqual(
      expect.arrayContaining([
        ...Object.values(tokensOf(flow)),
        ...Object.values(flow.secrets),
        flow.callback.get("code"),
        provider.clients.confidentialBasic.clientSecret,
        "one more of the test",
      ]),
    );
  } finally {
    await provider.close();
  }
});
