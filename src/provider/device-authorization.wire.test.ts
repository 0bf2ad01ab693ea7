// Changes when the requests of the device flow, or what is accepted as their answers, do.
import { afterEach, describe, expect, test } from "vitest";
import {
  answerTokens,
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import { genuineClaims, strangeKey, unsignedToken } from "../../test/support/token-forge.ts";
import { Secret } from "../core/secret.ts";
import { requestDeviceAuthorization } from "./device-authorization.ts";
import type { DeviceInput } from "./device-authorization.ts";
import { openProvider } from "./metadata.ts";

afterEach(cleanUp);

const signal = new AbortController().signal;
const deviceCode = "canary-device-code";

/** A provider whose genuine device answer is changed; null takes a member away. */
async function ask(
  changes: Readonly<Record<string, unknown>> = {},
  input: Partial<DeviceInput> = {},
  document: Readonly<Record<string, unknown>> = {},
) {
  const provider = await startProvider();
  provider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const real = await genuine();
      return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), ...document }) };
    },
  });
  if (Object.keys(changes).length > 0) {
    provider.tamper({
      path: "device",
      respond: async (_request, genuine) => {
        const real = await genuine();
        const body = { ...JSON.parse(real.body), ...changes };
        for (const [name, value] of Object.entries(changes)) if (value === null) delete body[name];
        return { ...real, body: JSON.stringify(body) };
      },
    });
  }
  const world = makeWorld();
  const opened = await openProvider(world, optionsFor(provider, { flow: "device" }));
  const asked = requestDeviceAuthorization(
    world,
    opened,
    {
      clientId: provider.clients.public.clientId,
      scopes: undefined,
      offlineAccess: false,
      ...input,
    },
    signal,
  );
  // Rejections are looked at by the test that expects them.
  asked.catch(() => undefined);
  return { provider, world, asked };
}

const unfit: readonly [string, Record<string, unknown>, string, string][] = [
  [
    "another scheme",
    { verification_uri: "javascript:alert(1)" },
    "endpoint_invalid",
    "verification_uri",
  ],
  [
    "http beyond this machine",
    { verification_uri: "http://id.example.com/device" },
    "endpoint_invalid",
    "verification_uri",
  ],
  ["a file", { verification_uri: "file:///etc/passwd" }, "endpoint_invalid", "verification_uri"],
  [
    "a name that only begins like loopback",
    { verification_uri: "http://127.0.0.1.evil.example/" },
    "endpoint_invalid",
    "verification_uri",
  ],
  [
    "user information",
    { verification_uri: "https://id.example.com@evil.example/" },
    "endpoint_invalid",
    "verification_uri",
  ],
  [
    "Google's name with another scheme",
    { verification_uri: null, verification_url: "ftp://id.example.com/" },
    "endpoint_invalid",
    "verification_url",
  ],
];

test.for(unfit)(
  "refuses a verification address with %s [V05]",
  async ([, changes, code, reason]) => {
    const { asked } = await ask(changes);
    const error = await failureOf(asked);
    expect([error.code, error.reason]).toEqual([code, reason]);
    const hostile = Object.values(changes).filter((value) => typeof value === "string");
    expect(hostile.filter((value) => error.message.includes(value))).toEqual([]);
  },
);

test.for([
  ["no user code", { user_code: null }, "user_code"],
  ["an empty user code", { user_code: "" }, "user_code"],
  ["a user code that is a number", { user_code: 12_345_678 }, "user_code"],
  ["a user code on two lines", { user_code: "WDJB\nMJHT" }, "user_code"],
  ["a user code that clears the screen", { user_code: "\u001b[2JWDJB" }, "user_code"],
  ["a user code that turns around", { user_code: "WDJB\u202eTHJM" }, "user_code"],
  ["a user code of 65 characters", { user_code: "W".repeat(65) }, "user_code"],
  ["an endless user code", { user_code: "W".repeat(500_000) }, "user_code"],
  ["no address", { verification_uri: null }, "verification_url"],
  ["an address that is a number", { verification_uri: 7 }, "verification_uri"],
  [
    "an address that clears the screen",
    { verification_uri: "https://id.example.com/\u001b[2J" },
    "verification_uri",
  ],
  [
    "an address on two lines",
    { verification_uri: "https://id.example\n.com/" },
    "verification_uri",
  ],
  [
    "an endless address",
    { verification_uri: `https://id.example.com/${"x".repeat(500_000)}` },
    "verification_uri",
  ],
  ["no device code", { device_code: null }, "device_code"],
  ["a device code that is a number", { device_code: 7 }, "device_code"],
  ["a device code on two lines", { device_code: "a\r\nb" }, "device_code"],
  ["an endless device code", { device_code: "a".repeat(500_000) }, "device_code"],
  ["no lifetime", { expires_in: null }, "expires_in"],
  ["a lifetime of 0", { expires_in: 0 }, "expires_in"],
  ["a negative lifetime", { expires_in: -600 }, "expires_in"],
  ["a lifetime that is no number", { expires_in: "soon" }, "expires_in"],
] as const)("an answer with %s is refused [V09]", async ([, changes, reason]) => {
  const { asked } = await ask(changes);
  const error = await failureOf(asked, ["\u001b", "\u202e"]);
  expect([error.code, error.reason]).toEqual(["token_response_invalid", reason]);
  expect(error.message.length).toBeLessThan(500);
});

test.for([
  [{ interval: null }, 5],
  [{ interval: 0 }, 5],
  [{ interval: -1 }, 5],
  [{ interval: "many" }, 5],
  [{ interval: 0.01 }, 1],
  [{ interval: "7" }, 7],
  [{ interval: 1e9 }, 60],
] as const)("an interval within reason comes of %j [V09]", async ([changes, seconds]) => {
  const { asked } = await ask(changes);
  expect((await asked).intervalSeconds).toBe(seconds);
});

test.for([
  [{ expires_in: 1e12 }, 1800],
  [{ expires_in: "600" }, 600],
] as const)("a lifetime within reason comes of %j [V09]", async ([changes, seconds]) => {
  const { asked } = await ask(changes);
  expect((await asked).expiresInSeconds).toBe(seconds);
});

test.for([
  [{ device_code: "a".repeat(131_073) }, "131072"],
  [{ user_code: "a".repeat(65) }, "64"],
  [{ verification_uri: `https://id.example.com/${"x".repeat(8192)}` }, "8192"],
] as const)("the limit that ran out is named [F-P limit-not-named]", async ([changes, limit]) => {
  const { asked } = await ask(changes);
  expect((await failureOf(asked)).message).toContain(`longer than ${limit} characters`);
});

test("a scope that is refused is named, and what is listed; openid may be what is not taken [F-U12] [F-U23]", async () => {
  const { provider, asked } = await ask({}, {}, { scopes_supported: ["openid", "api"] });
  await asked;
  provider.tamper({
    path: "device",
    respond: async () => ({
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        error: "invalid_scope",
        error_description: "OAuth 2.0 Parameter: scope",
      }),
    }),
  });
  const world = makeWorld();
  const opened = await openProvider(world, optionsFor(provider, { flow: "device" }));
  const input = {
    clientId: provider.clients.public.clientId,
    scopes: ["openid", "x:y"],
    offlineAccess: false,
  };
  const error = await failureOf(requestDeviceAuthorization(world, opened, input, signal));
  expect(error.reason).toBe("invalid_scope");
  expect(error.message).toContain(
    "does not grant these scopes to this client: openid x:y. Its metadata lists: openid api. Check `scopes`; some providers do not take openid in the device flow.",
  );
});

test("verification_url, the name in the draft, is taken too", async () => {
  const url = "https://id.example.com/device";
  const { asked } = await ask({
    verification_uri: null,
    verification_uri_complete: null,
    verification_url: url,
    verification_url_complete: `${url}?code=x`,
  });
  expect(await asked).toMatchObject({
    verificationUri: url,
    verificationUriComplete: `${url}?code=x`,
  });
});

test("audience and scopes go into the device request, audience into the poll too", async () => {
  const { provider, asked } = await ask({}, { audience: "urn:api", scopes: ["openid", "email"] });
  const authorization = await asked;
  expect(await authorization.poll(signal)).toEqual({ kind: "pending" });
  const [request] = provider.requestsOf("device");
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    client_id: "public-client",
    audience: "urn:api",
    scope: "openid email",
  });
  expect(provider.tokenRequests()[0]?.get("audience")).toBe("urn:api");
  expect(authorization.requestedScopes).toEqual(["openid", "email"]);
});

test("the client authenticates at both endpoints as it does at the token endpoint [T25]", async () => {
  const { confidentialBasic, confidentialPost } = (await startProvider()).clients;
  const basic = await ask(
    {},
    {
      clientId: confidentialBasic.clientId,
      clientSecret: new Secret(confidentialBasic.clientSecret),
    },
  );
  await (await basic.asked).poll(signal);
  for (const kind of ["device", "token"] as const) {
    const [byHeader] = basic.provider.requestsOf(kind);
    expect(byHeader?.headers.authorization).toMatch(/^Basic /);
    expect(byHeader?.body).not.toContain("client_secret");
  }
  const post = await ask(
    {},
    {
      clientId: confidentialPost.clientId,
      clientSecret: new Secret(confidentialPost.clientSecret),
    },
    { token_endpoint_auth_methods_supported: ["client_secret_post"] },
  );
  await (await post.asked).poll(signal);
  for (const kind of ["device", "token"] as const) {
    const [byBody] = post.provider.requestsOf(kind);
    expect(byBody?.headers.authorization).toBeUndefined();
    expect(new URLSearchParams(byBody?.body).get("client_secret")).toBe(
      confidentialPost.clientSecret,
    );
  }
});

describe("the answer to a poll", () => {
  test.for([
    ["authorization_pending", { kind: "pending" }],
    ["slow_down", { kind: "slow_down", intervalSeconds: 11 }],
  ] as const)("%s, with whatever status", async ([error, expected]) => {
    const { provider, asked } = await ask();
    const authorization = await asked;
    for (const status of [200, 400]) {
      provider.tamper({
        path: "token",
        times: 1,
        respond: async () => ({
          status,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ error, interval: 11 }),
        }),
      });
      expect(await authorization.poll(signal)).toEqual(expected);
    }
  });

  test("a refusal that repeats the device code is told without it [V08]", async () => {
    const { provider, asked } = await ask({ device_code: deviceCode });
    const authorization = await asked;
    provider.tamper({
      path: "token",
      respond: async () => ({
        status: 400,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          error: "invalid_grant",
          error_description: `no code ${deviceCode}`,
        }),
      }),
    });
    const error = await failureOf(authorization.poll(signal), [deviceCode]);
    expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_grant"]);
    const { inspect } = await import("node:util");
    expect(inspect(authorization, { depth: 9, showHidden: true })).not.toContain(deviceCode);
  });

  const forged: readonly [string, Parameters<typeof answerTokens>[1], string][] = [
    ["another issuer", { claims: { iss: "https://evil.example" } }, "id_token_iss"],
    ["another audience", { claims: { aud: "other-client" } }, "id_token_aud"],
    ["its end in the past", { claims: { exp: 1 } }, "id_token_time"],
    ["nobody in it", { claims: { sub: "" } }, "id_token_sub"],
    [
      "a hash of another access token",
      { claims: { at_hash: "AAAAAAAAAAAAAAAAAAAAAA" } },
      "id_token_at_hash",
    ],
    ["no form", { idToken: "a.b" }, "id_token_malformed"],
    ["no signature", { idToken: unsignedToken({ alg: "none" }, { sub: "alice" }) }, "id_token_alg"],
    ["the signature of a stranger", { forge: { key: strangeKey() } }, "id_token_signature"],
  ];

  test.for(forged)("an ID token with %s is refused [V11]", async ([, answer, reason]) => {
    const { provider, asked } = await ask();
    const authorization = await asked;
    answerTokens(provider, answer);
    const error = await failureOf(authorization.poll(signal), ["access-token-for-alice"]);
    expect([error.code, error.reason]).toEqual(["id_token_invalid", reason]);
  });

  test("no ID token is none of its faults, though openid was granted: it is said that nobody is known [F-P device]", async () => {
    const { provider, world, asked } = await ask();
    const authorization = await asked;
    answerTokens(provider, { idToken: null, members: { scope: "openid" } });
    const poll = await authorization.poll(signal);
    expect(poll).toMatchObject({ kind: "granted", answer: { scopes: ["openid"] } });
    expect(world.warnings).toEqual([
      expect.stringMatching(/^id_token_missing: .* it is not known who signed in/),
    ]);
  });

  test("but it is one where `maxAge` asks for a recent sign-in [A12]", async () => {
    const { provider, asked } = await ask({}, { maxAgeSeconds: 60 });
    const authorization = await asked;
    answerTokens(provider, { idToken: null, members: { scope: "openid" } });
    const error = await failureOf(authorization.poll(signal));
    expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_auth_time"]);
  });

  test("an ID token is accepted with or without a nonce, which could not be asked for [V11]", async () => {
    for (const claims of [{}, { nonce: "of-the-page" }]) {
      const { provider, asked } = await ask();
      const authorization = await asked;
      answerTokens(provider, {
        claims: { ...genuineClaims(provider.issuer, provider.clients.public.clientId), ...claims },
      });
      expect(await authorization.poll(signal)).toMatchObject({
        kind: "granted",
        answer: { signatureVerified: true },
      });
    }
  });
});

test("a client that may not use the flow is told which setting to change", async () => {
  const { provider, asked: first } = await ask();
  await first;
  provider.tamper({
    path: "device",
    respond: async () => ({
      status: 400,
      headers: { "content-type": "application/json" },
      body: '{"error":"unauthorized_client"}',
    }),
  });
  const { asked } = await ask();
  const error = await failureOf(asked);
  expect([error.code, error.reason]).toEqual(["token_request_failed", "unauthorized_client"]);
  expect(error.message).toContain("may not use the device flow");
});
