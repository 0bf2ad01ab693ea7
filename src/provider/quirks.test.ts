// Changes with the providers' exceptions.
import { SignJWT } from "jose";
import { afterEach, expect, test } from "vitest";
import { cleanUp, failureOf, makeWorld } from "../../test/support/protocol-world.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { createAuthorizationAttempt } from "./authorization-request.ts";
import { Secret } from "../core/secret.ts";
import { noKeys } from "../keys/key-source.ts";
import { openProvider } from "./metadata.ts";
import { acceptsDiscoveredIssuer, expectedIdTokenIssuer, quirksOf } from "./quirks.ts";
import { checkSignature } from "../keys/signature.ts";
import { refreshTokens } from "./refresh-tokens.ts";

afterEach(cleanUp);

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const common = "https://login.microsoftonline.com/common/v2.0";

/** Answers instead of providers that no test may reach. */
function answeringWorld(body: object) {
  const requests: HttpRequest[] = [];
  const world = makeWorld();
  const http = {
    trustedRoots: async () => "none",
    send: async (request: HttpRequest) => {
      requests.push(request);
      return {
        status: 200,
        headers: { "content-type": "application/json" },
        body: new Uint8Array(Buffer.from(JSON.stringify(body))),
        url: request.url,
      };
    },
  };
  return { world: { ...world, http }, requests };
}

test("are looked up by the whole host of an https issuer", () => {
  expect(quirksOf("https://accounts.google.com").offlineAccessParameters).toBeDefined();
  for (const issuer of [
    "https://accounts.google.com.evil.example",
    "https://evil-accounts.google.com",
    "https://accounts.google.com:8443",
    "http://accounts.google.com",
    "https://evil.example/accounts.google.com",
    "no url",
  ]) {
    expect(quirksOf(issuer)).toEqual({ issuerHosts: [] });
  }
});

test("Google: offline access is a parameter, not a scope; the caller's own value wins", async () => {
  const issuer = "https://accounts.google.com";
  const { world } = answeringWorld({
    issuer,
    authorization_endpoint: `${issuer}/o/oauth2/v2/auth`,
  });
  const provider = await openProvider(world, {
    issuer,
    clientId: "c",
    allowInsecureHttp: false,
    flow: "auto",
  });
  const queryOf = async (extraParameters?: Record<string, string>) => {
    const attempt = await createAuthorizationAttempt(world, provider, {
      clientId: "c",
      redirectUri: "http://127.0.0.1:1/callback",
      scopes: undefined,
      pkce: true,
      offlineAccess: true,
      extraParameters,
    });
    return Object.fromEntries(new URL(attempt.url).searchParams);
  };
  expect(await queryOf()).toMatchObject({
    access_type: "offline",
    prompt: "consent",
    scope: "openid profile email",
  });
  expect(await queryOf({ access_type: "online" })).toMatchObject({ access_type: "online" });
});

test("Entra: scope is sent again on refresh", async () => {
  const { world, requests } = answeringWorld({ access_token: "a", token_type: "Bearer" });
  const refresh = (issuer: string) =>
    refreshTokens(world, {
      clientId: "c",
      tokenEndpoint: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
      authenticationMethod: "none",
      refreshToken: "r",
      previous: undefined,
      scopes: ["openid", "api://x/.default"],
      options: { issuer, clientId: "c", allowInsecureHttp: false, flow: "auto" },
    });
  await refresh(common);
  await refresh("https://id.example");
  const scopes = requests.map(({ form }) => form?.get("scope"));
  expect(scopes).toEqual(["openid api://x/.default", null]);
});

test("Entra: a many-tenants issuer is a template in discovery and the tenant's own in tokens", () => {
  const template = "https://login.microsoftonline.com/{tenantid}/v2.0";
  const own = `https://login.microsoftonline.com/${tenant}/v2.0`;
  expect(acceptsDiscoveredIssuer(common, template)).toBe(true);
  expect(expectedIdTokenIssuer(common, { tid: tenant })).toBe(own);
  // Nothing but a tenant's id is put in, and only where the issuer stands for many.
  expect(expectedIdTokenIssuer(common, { tid: "../evil" })).toBe(common);
  expect(expectedIdTokenIssuer(common, { tid: [tenant] })).toBe(common);
  expect(expectedIdTokenIssuer(own, { tid: "00000000-0000-0000-0000-000000000000" })).toBe(own);
  expect(acceptsDiscoveredIssuer(own, template)).toBe(false);
  expect(acceptsDiscoveredIssuer(common, "https://evil.example/{tenantid}/v2.0")).toBe(false);
  const elsewhere = "https://id.example/common/v2.0";
  expect(acceptsDiscoveredIssuer(elsewhere, "https://id.example/{tenantid}/v2.0")).toBe(false);
  expect(expectedIdTokenIssuer(elsewhere, { tid: tenant })).toBe(elsewhere);
});

test.each([
  {
    issuer: "https://login.microsoftonline.com/common",
    named: "https://sts.windows.net/{tenantid}/",
    advice: 'Set `issuer` to "https://login.microsoftonline.com/common/v2.0".',
  },
  {
    issuer: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_susi/v2.0",
    named: "https://contoso.b2clogin.com/01234567-89ab-cdef-0123-456789abcdef/v2.0/",
    advice: "set `authorizationEndpoint`, `tokenEndpoint` and `jwksUri` too, as https://contoso",
  },
  {
    issuer: "https://idcs-a1.identity.oraclecloud.com",
    named: "https://identity.oraclecloud.com/",
    advice: "set `authorizationEndpoint`, `tokenEndpoint` and `jwksUri` too, as https://idcs-a1",
  },
  {
    issuer: "https://accounts.google.com",
    named: "accounts.google.com",
    advice: "so it cannot be set",
  },
  {
    issuer: "https://id.example.com",
    named: "https://id.example.com/{tenant}/",
    advice: "That is a template",
  },
])(
  "[issuer-mismatch-dead-end] $issuer, whose document names $named",
  async ({ issuer, named, advice }) => {
    const { world, requests } = answeringWorld({ issuer: named });
    const options = { issuer, clientId: "c", allowInsecureHttp: false, flow: "auto" } as const;
    const error = await failureOf(openProvider(world, options));
    expect([error.code, requests.length]).toEqual(["issuer_mismatch", 1]);
    expect(error.message).toContain(`belongs to the issuer "${named}"`);
    expect(error.message).toContain(advice);
    const canBeSet = advice.startsWith("set `authorizationEndpoint`");
    expect(error.message.includes("to exactly that")).toBe(canBeSet);
  },
);

test("[hs256-not-listed] LINE signs with the channel secret, unlisted; nobody else may", async () => {
  const algorithmsAt = async (issuer: string) => {
    const { world } = answeringWorld({
      issuer,
      id_token_signing_alg_values_supported: ["ES256"],
    });
    const options = { issuer, clientId: "c", allowInsecureHttp: false, flow: "auto" } as const;
    return (await openProvider(world, options)).metadata.idTokenSigningAlgorithms;
  };
  const listedAlgorithms = await algorithmsAt("https://access.line.me");
  expect(listedAlgorithms).toEqual(["ES256", "HS256"]);
  for (const issuer of ["https://op.example.com", "https://access.line.me.evil.example"]) {
    expect(await algorithmsAt(issuer)).toEqual(["ES256"]);
  }
  const secret = "0123456789abcdef0123456789abcdef";
  const token = await new SignJWT({ sub: "U1" })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
  const judged = async (clientSecret: Secret | undefined, listed = listedAlgorithms) =>
    (await checkSignature(token, { keys: noKeys, listedAlgorithms: listed, clientSecret }))
      .accepted;
  expect(await judged(new Secret(secret))).toBe(true);
  expect(await judged(new Secret("another-secret-another-secret-32"))).toBe(false);
  expect(await judged(new Secret(""))).toBe(false);
  expect(await judged(undefined)).toBe(false);
  expect(await judged(new Secret(secret), ["ES256"])).toBe(false);
});

test("[no-nonce-in-id-token] LinkedIn is sent no nonce, everybody else one", async () => {
  const queryAt = async (issuer: string) => {
    const { world } = answeringWorld({ issuer, authorization_endpoint: `${issuer}/authorize` });
    const options = { issuer, clientId: "c", allowInsecureHttp: false, flow: "auto" } as const;
    const attempt = await createAuthorizationAttempt(world, await openProvider(world, options), {
      clientId: "c",
      redirectUri: "http://127.0.0.1:1/callback",
      scopes: undefined,
      pkce: true,
      offlineAccess: false,
    });
    return new URL(attempt.url).searchParams;
  };
  const atLinkedIn = await queryAt("https://www.linkedin.com/oauth");
  expect([atLinkedIn.has("nonce"), atLinkedIn.has("code_challenge")]).toEqual([false, true]);
  expect((await queryAt("https://linkedin.example.com")).has("nonce")).toBe(true);
});
