// What a credential, its options and its tokens show when they are printed, copied or compared.

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { expectNoSecrets } from "../../test/support/canary.ts";
import {
  BearerTokenAuth,
  memoryStore,
  OidcAuth,
  OidcCredentialsAuth,
  OidcError,
} from "../index.ts";
import { resolveOptions } from "../options/resolve.ts";
import { Secret } from "../core/secret.ts";
import { createAccessToken } from "../session/access-token.ts";
import { closedError } from "../session/lifetime.ts";
import { answer, Bench } from "../session/testing.ts";

const secret = "canary-secret-0123456789";
const client = { issuer: "https://id.example.com", clientId: "cli", clientSecret: secret };

/** Every way in which a program may print or copy an object without asking for one of its properties. */
function printed(value: object): string {
  const views: unknown[] = [
    // oxlint-disable-next-line typescript/no-base-to-string -- whether that shows anything is what is asked
    "toString" in value ? String(value) : "",
    JSON.stringify(value),
    JSON.stringify({ ...value }),
    JSON.stringify(Object.entries(value)),
    JSON.stringify(Object.assign({}, value)),
  ];
  for (const depth of [0, 2, 12, null]) {
    for (const showHidden of [false, true]) {
      for (const getters of [false, true] as const) {
        const options = { depth, showHidden, getters, compact: false };
        views.push(inspect(value, options), inspect({ inside: [value] }, options));
      }
    }
  }
  try {
    views.push(inspect(structuredClone(value), { showHidden: true, getters: true }));
  } catch (error) {
    // Functions and private members cannot be cloned.
    views.push(String(error));
  }
  return views.join("\n");
}

const token = createAccessToken({
  tokenType: "Bearer",
  token: secret,
  expiresAt: 1_900_000_000,
  scopes: ["openid"],
  idToken: `e30.${Buffer.from(JSON.stringify({ sub: secret })).toString("base64url")}.c2ln`,
  source: "cache",
});

test.each<[string, object, string]>([
  ["OidcAuth", new OidcAuth({ ...client, store: memoryStore() }), "id.example.com"],
  ["OidcCredentialsAuth", new OidcCredentialsAuth(client), "id.example.com"],
  ["BearerTokenAuth", new BearerTokenAuth({ token: secret }), "BearerTokenAuth"],
  ["resolved options", resolveOptions(client, "interactive"), "id.example.com"],
  ["an access token", token, "openid"],
  ["a secret", new Secret(secret), "[redacted]"],
])(
  "%s shows what it is and no secret, with showHidden and getters neither [F-S20][O08]",
  (_what, value, shown) => {
    const text = printed(value);
    expect(text).toContain(shown);
    expectNoSecrets(text, [secret, token.idToken ?? ""]);
  },
);

test("what is hidden is there for whoever asks for it", () => {
  expect([new OidcAuth(client).clientSecret, new BearerTokenAuth({ token: secret }).token]).toEqual(
    [secret, secret],
  );
  expect([token.token, token.claims?.sub]).toEqual([secret, secret]);
});

test("a printed credential looks like one: its name, its options, and how deep it was asked for", () => {
  const auth = new OidcAuth(client);
  expect(inspect(auth)).toMatch(/^OidcAuth \{\n {2}issuer: 'https:\/\/id\.example\.com',/);
  expect(inspect({ auth }, { depth: 0 })).toBe("{ auth: [OidcAuth] }");
  expect(inspect(token, { breakLength: Infinity })).toBe(
    "{ tokenType: 'Bearer', expiresAt: 2030-03-17T17:46:40.000Z, scopes: [ 'openid' ], source: 'cache' }",
  );
});

test("a session with tokens, and the errors of its calls, show none [F-S20][O08]", async () => {
  const first = answer({ accessToken: secret, refreshToken: `${secret}-refresh` });
  const bench = new Bench({
    signIn: () => Promise.resolve(first),
    refresh: () =>
      Promise.reject(new OidcError("token_request_failed", "x", { reason: "invalid_client" })),
  });
  await bench.session.getToken();
  const failed: unknown = await bench.session
    .getToken({ forceRefresh: true })
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(OidcError);
  for (const value of [bench.session, failed as object, closedError()]) {
    expectNoSecrets(printed(value), [secret]);
  }
});
