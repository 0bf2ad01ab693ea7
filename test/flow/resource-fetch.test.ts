// `createFetch` where the resource says which provider issues its tokens: what each side was asked, in its own log.

import { expect, onTestFinished, test } from "vitest";
import { json, startHostileServer } from "../support/hostile-server.ts";
import {
  refusal,
  wellKnown,
  type CallAnswer,
  type RefusingResourceScript,
} from "../support/refusing-resource.ts";
import { failureOf, refuseTokens } from "./harness.ts";
import { path, said, scene, tamperMetadata, type Scene } from "./resource-scene.ts";

function scopesAsked({ identityProvider }: Scene): (string | null)[] {
  return identityProvider.authorizationRequests().map((each) => each.get("scope"));
}

test("an address alone: a 401 leads to the provider, and the request is sent again with a token", async () => {
  const on = await scene();
  const { origin, calls, documentsAsked } = on.resource;
  const fetch = on.program();
  const response = await fetch(`${origin}${path}?a=b`, { method: "POST", body: "twice" });
  expect([response.status, await response.text()]).toEqual([200, "the body"]);
  expect(calls.map(({ line, body }) => `${line} ${body}`)).toEqual([
    "POST /mcp?a=b twice",
    "POST /mcp?a=b twice",
  ]);
  expect(calls[0]?.token).toBeUndefined();
  expect(documentsAsked).toEqual([`${wellKnown}${path}`]);
  const [authorization] = on.identityProvider.authorizationRequests();
  const [token] = on.identityProvider.tokenRequests();
  for (const request of [authorization, token]) {
    expect(request?.get("resource")).toBe(`${origin}${path}`);
  }
  expect(authorization?.get("code_challenge_method")).toBe("S256");
  expect((await fetch(`${origin}/elsewhere`)).status).toBe(200);
  expect(calls[2]?.token).toBe(calls[1]?.token);
});

test("a second program asks nobody, and begins with the token", async () => {
  const on = await scene();
  const { origin, calls, documentsAsked } = on.resource;
  await on.program()(`${origin}${path}`);
  on.identityProvider.resetRequests();
  expect((await on.program()(`${origin}${path}`)).status).toBe(200);
  expect(calls.map(({ token }) => token === undefined)).toEqual([true, false, false]);
  expect([documentsAsked.length, on.identityProvider.requests().total]).toEqual([1, 0]);
});

test("a hundred requests that are refused at once come to one sign-in", async () => {
  const on = await scene();
  const { origin } = on.resource;
  const fetch = on.program();
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => (await fetch(`${origin}${path}`)).status),
  );
  expect(new Set(answers)).toEqual(new Set([200]));
  expect(on.identityProvider.requests().authorization).toBe(1);
  expect(new Set(on.resource.calls.map(({ token }) => token)).size).toBe(2);
});

test.each<[string, string, object, string | null]>([
  ["the challenge's", 'scope="a b"', { scopes_supported: ["c"] }, "a b"],
  ["else the resource's", "", { scopes_supported: ["c", "d"] }, "c d"],
  ["else none", "", { scopes_supported: undefined }, null],
  ["offline_access nowhere but where the provider lists it", 'scope="a offline_access"', {}, "a"],
])("scopes: %s", async (_what, challenge, members, expected) => {
  const on = await scene((identityProvider) => ({
    documents: (origin) => ({
      [`${wellKnown}${path}`]: said(identityProvider, origin, members),
    }),
    answer: ({ token }) => (token === undefined ? refusal(challenge) : [200]),
  }));
  const { origin } = on.resource;
  tamperMetadata(on, { scopes_supported: ["openid"] });
  await on
    .program()(`${origin}${path}`)
    .catch(() => undefined);
  expect(scopesAsked(on)).toEqual([expected]);
});

test("scopes of the caller's win", async () => {
  const on = await scene(() => ({
    answer: ({ token }) => (token === undefined ? refusal('scope="a"') : [200]),
  }));
  await on.program({ scopes: ["openid"] })(`${on.resource.origin}${path}`);
  expect(scopesAsked(on)).toEqual(["openid"]);
});

/** The resource takes only tokens that `isGood` says yes to. */
const onlyIf =
  (
    isGood: (token: string, tokens: readonly string[]) => boolean,
  ): RefusingResourceScript["answer"] =>
  ({ token }, _origin, earlier) => {
    const tokens = [...new Set(earlier.map((each) => each.token ?? ""))].filter(Boolean);
    if (token === undefined) return refusal();
    return isGood(token, [...tokens, token]) ? [200] : refusal('error="invalid_token"');
  };

function sent({ resource }: Scene): string[] {
  const tokens = resource.calls.map(({ token }) => token);
  return tokens.map((token) => (token === undefined ? "none" : `token ${tokens.indexOf(token)}`));
}

test("a refused token is renewed once; refused again, the metadata are read anew and somebody signs in, once", async () => {
  const on = await scene();
  const { origin, calls, documentsAsked } = on.resource;
  const fetch = on.program({ offlineAccess: true });
  await fetch(`${origin}${path}`);
  const [, { token: first } = { token: undefined }] = calls;
  on.identityProvider.resetRequests();
  on.resource.change({
    documents: (own) => ({ [`${wellKnown}${path}`]: said(on.identityProvider, own) }),
    answer: onlyIf((token) => token !== first),
  });
  calls.length = 0;
  expect((await fetch(`${origin}${path}`)).status).toBe(200);
  expect(sent(on)).toEqual(["token 0", "token 1"]);
  expect(on.identityProvider.tokenRequests().map((each) => each.get("grant_type"))).toEqual([
    "refresh_token",
  ]);
  expect(on.identityProvider.tokenRequests()[0]?.get("resource")).toBe(`${origin}${path}`);
  expect(documentsAsked).toHaveLength(1);

  // Never content: a renewal, a sign-in, and then the answer is the caller's.
  on.identityProvider.resetRequests();
  on.resource.change({
    documents: (own) => ({ [`${wellKnown}${path}`]: said(on.identityProvider, own) }),
    answer: onlyIf(() => false),
  });
  calls.length = 0;
  expect((await fetch(`${origin}${path}`)).status).toBe(401);
  expect(sent(on)).toEqual(["token 0", "token 1", "token 2"]);
  expect(on.identityProvider.requests().authorization).toBe(1);
  expect(documentsAsked).toHaveLength(2);
});

test("an ended sign-in: the resource is asked where, and somebody signs in there", async () => {
  const on = await scene();
  const { origin, calls } = on.resource;
  const fetch = on.program({ offlineAccess: true });
  await fetch(`${origin}${path}`);
  const [, { token: first } = { token: undefined }] = calls;
  refuseTokens(on.identityProvider, { error: "invalid_grant" });
  on.identityProvider.resetRequests();
  on.resource.change({
    documents: (own) => ({ [`${wellKnown}${path}`]: said(on.identityProvider, own) }),
    answer: onlyIf((token) => token !== first),
  });
  expect((await fetch(`${origin}${path}`)).status).toBe(200);
  expect(on.identityProvider.requests().authorization).toBe(1);
});

test("403 insufficient_scope: a sign-in for both, once; what adds nothing is the caller's answer [D21]", async () => {
  const on = await scene();
  const { origin } = on.resource;
  const fetch = on.program();
  await fetch(`${origin}${path}`);
  const challenge = 'Bearer error="insufficient_scope", scope="email openid"';
  const refuse = [403, { "www-authenticate": challenge }] as const;
  const documents = (own: string): Readonly<Record<string, unknown>> => ({
    [`${wellKnown}${path}`]: said(on.identityProvider, own),
  });
  const narrow = new Set(on.resource.calls.map(({ token }) => token));
  on.resource.change({ documents, answer: ({ token }) => (narrow.has(token) ? refuse : [200]) });
  expect((await fetch(`${origin}${path}`)).status).toBe(200);
  expect(scopesAsked(on)).toEqual(["openid", "openid email"]);
  on.resource.change({ documents, answer: () => refuse });
  on.resource.calls.length = 0;
  expect((await fetch(`${origin}${path}`)).status).toBe(403);
  expect([on.resource.calls.length, scopesAsked(on).length]).toEqual([1, 2]);
  on.resource.change({ documents, answer: () => [403] });
  expect((await fetch(`${origin}${path}`)).status).toBe(403);
  expect(scopesAsked(on)).toHaveLength(2);
});

test.each<[string, CallAnswer]>([
  ["403", [403]],
  ["400", [400, { "www-authenticate": 'Bearer error="invalid_request"' }]],
  ["404", [404]],
  ["500", [500]],
  ["401 use_dpop_nonce", [401, { "www-authenticate": 'DPoP error="use_dpop_nonce"' }]],
])("%s is the caller's answer, and nobody is asked anything", async (_what, answer) => {
  const on = await scene(() => ({ answer: () => answer }));
  const response = await on.program()(`${on.resource.origin}${path}`);
  expect([response.status, await response.text()]).toEqual([answer[0], "the body"]);
  expect([on.resource.documentsAsked, on.identityProvider.requests().total]).toEqual([[], 0]);
});

test("the address that the challenge names is read, and no other", async () => {
  const place = "/.well-known/somewhere-else";
  const on = await scene((identityProvider) => ({
    documents: (origin) => ({
      [place]: said(identityProvider, origin),
      [`${wellKnown}${path}`]: { resource: "nonsense" },
    }),
    answer: ({ token }, origin) =>
      token === undefined
        ? [
            401,
            { "www-authenticate": ["Basic realm=x", `dpop resource_metadata=${origin}${place}`] },
          ]
        : [200],
  }));
  // Unquoted, an address is not a token of the grammar, and is not read.
  expect((await failureOf(on.program()(`${on.resource.origin}/x`))).code).toBe(
    "server_config_failed",
  );
  on.resource.change({
    documents: (origin) => ({ [place]: said(on.identityProvider, origin) }),
    answer: ({ token }, origin) =>
      token === undefined
        ? [
            401,
            { "www-authenticate": ["Basic realm=x", `dpop resource_metadata="${origin}${place}"`] },
          ]
        : [200],
  });
  on.resource.documentsAsked.length = 0;
  expect((await on.program()(`${on.resource.origin}${path}`)).status).toBe(200);
  expect(on.resource.documentsAsked).toEqual([place]);
});

test("the root's document speaks for the origin, and its sign-in is found again from any address", async () => {
  const on = await scene((identityProvider) => ({
    documents: (origin) => ({
      [wellKnown]: said(identityProvider, origin, { resource: `${origin}/` }),
    }),
  }));
  const { origin, calls } = on.resource;
  await on.program()(`${origin}${path}`);
  expect(on.identityProvider.tokenRequests()[0]?.get("resource")).toBe(`${origin}/`);
  calls.length = 0;
  expect((await on.program()(`${origin}/other/path`)).status).toBe(200);
  expect([calls.length, on.identityProvider.requests().authorization]).toEqual([1, 1]);
});

test("a body that can be read but once is never sent twice; the next request begins with a sign-in", async () => {
  const on = await scene();
  const { origin, calls } = on.resource;
  const fetch = on.program();
  const once = { method: "POST", body: new Blob(["once"]).stream(), duplex: "half" } as RequestInit;
  expect((await fetch(`${origin}${path}`, once)).status).toBe(401);
  expect(on.identityProvider.requests().authorization).toBe(0);
  expect((await fetch(`${origin}${path}`)).status).toBe(200);
  expect(calls.map(({ body }) => body)).toEqual(["once", ""]);
});

test("a provider that does not list S256 is refused before anybody is sent there", async () => {
  const on = await scene();
  tamperMetadata(on, { code_challenge_methods_supported: undefined });
  const failure = await failureOf(on.program()(`${on.resource.origin}${path}`));
  expect([failure.code, failure.reason]).toEqual(["authorization_failed", "pkce_unsupported"]);
  expect(on.identityProvider.requests().authorization).toBe(0);
});

/** A provider of an attacker's, whose log is read afterwards. */
async function attackersProvider() {
  const server = await startHostileServer(json({ error: "not_found" }, 404));
  onTestFinished(() => server.close());
  return server;
}

test.each<[string, (attacker: string, origin: string) => string, object]>([
  ["at another origin", (attacker) => `${attacker}${wellKnown}`, {}],
  ["by http: elsewhere", () => `http://api.example.com${wellKnown}`, {}],
  ["with a user name", (_attacker, origin) => origin.replace("//", "//a:b@") + wellKnown, {}],
  ["at no URL", () => "nonsense", {}],
])("metadata %s are not read, and nothing is sent there [D12]", async (_what, address) => {
  const attacker = await attackersProvider();
  const on = await scene(() => ({
    answer: ({ token }, origin) =>
      token === undefined
        ? refusal(`resource_metadata="${address(attacker.origin, origin)}"`)
        : [200],
  }));
  const failure = await failureOf(on.program()(`${on.resource.origin}${path}`));
  expect([failure.code, failure.reason]).toEqual(["server_config_failed", "malformed"]);
  expect([attacker.connections(), attacker.requests]).toEqual([0, []]);
  expect([on.resource.documentsAsked, on.identityProvider.requests().total]).toEqual([[], 0]);
});

test.each<[string, (origin: string) => string]>([
  ["another server", () => "https://elsewhere.example.com/mcp"],
  ["a part of it", (origin) => `${origin}${path}/more`],
  ["the origin, from the address of a path", (origin) => origin],
])(
  "metadata about %s are not used: nothing goes to the issuer that they name [D11]",
  async (_what, resource) => {
    const attacker = await attackersProvider();
    const on = await scene((identityProvider) => ({
      documents: (origin) => ({
        [`${wellKnown}${path}`]: said(identityProvider, origin, {
          resource: resource(origin),
          authorization_servers: [attacker.origin],
        }),
      }),
    }));
    const failure = await failureOf(on.program()(`${on.resource.origin}${path}`));
    expect(failure.code).toBe("resource_mismatch");
    expect(attacker.connections()).toBe(0);
  },
);

test("no metadata at all: an error that says so, and no address is guessed", async () => {
  const on = await scene(() => ({ documents: () => ({}) }));
  const failure = await failureOf(on.program()(`${on.resource.origin}${path}`));
  expect([failure.code, failure.reason]).toEqual(["server_config_failed", "not_found"]);
  expect(on.resource.calls).toHaveLength(1);
});
