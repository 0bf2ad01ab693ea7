// Changes with the providers' exceptions.
import { afterEach, expect, test } from "vitest";
import { cleanUp, makeWorld } from "../../test/support/protocol-world.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { createAuthorizationAttempt } from "./authorization-request.ts";
import { openProvider } from "./metadata.ts";
import { acceptsDiscoveredIssuer, expectedIdTokenIssuer, quirksOf } from "./quirks.ts";
import { refreshTokens } from "./token-endpoint.ts";

afterEach(cleanUp);

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const common = "https://login.microsoftonline.com/common/v2.0";

/** Answers instead of providers that no test may reach. */
function answeringWorld(body: object) {
  const requests: HttpRequest[] = [];
  const world = makeWorld();
  const http = {
    send: async (request: HttpRequest) => {
      requests.push(request);
      return {
        status: 200,
        headers: new Headers({ "content-type": "application/json" }),
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
