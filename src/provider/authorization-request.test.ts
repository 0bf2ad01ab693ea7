// Changes with the authorization request.
import { afterEach, describe, expect, test } from "vitest";
import { cleanUp, failureOf, makeWorld } from "../../test/support/protocol-world.ts";
import { createAuthorizationAttempt } from "./authorization-request.ts";
import type { AuthorizationInput } from "./authorization-request.ts";
import type { Provider, ProviderMetadata } from "./metadata.ts";

afterEach(cleanUp);

const redirectUri = "http://127.0.0.1:1/callback";

/** A provider that nobody runs. */
function imagined(metadata: Partial<ProviderMetadata>): Provider {
  const issuer = metadata.issuer ?? "https://id.example";
  return {
    metadata: {
      issuer,
      source: "openid",
      issParameterSupported: false,
      pushedAuthorizationRequired: false,
      authorizationEndpoint: "https://id.example/authorize",
      tokenEndpoint: "https://id.example/token",
      ...metadata,
    },
    options: { issuer, clientId: "c", allowInsecureHttp: false, flow: "auto" },
    keys: { known: false, current: async () => [], fetchAgain: async () => [] },
    prefetchKeys: () => undefined,
    forgetCached: async () => undefined,
  };
}

async function queryOf(
  metadata: Partial<ProviderMetadata>,
  input: Partial<AuthorizationInput> = {},
): Promise<Record<string, string>> {
  const attempt = await createAuthorizationAttempt(makeWorld(), imagined(metadata), {
    clientId: "c",
    redirectUri,
    scopes: undefined,
    pkce: true,
    offlineAccess: false,
    ...input,
  });
  const entries = [...new URL(attempt.url).searchParams];
  const query = Object.fromEntries(entries);
  expect(entries, "no name stands there twice").toHaveLength(Object.keys(query).length);
  return query;
}

describe("the request", () => {
  test("has fresh state, nonce and verifier of 256 bits in every attempt [A01][A02]", async () => {
    const asked: number[] = [];
    const world = makeWorld();
    const counting = {
      ...world,
      randomBytes: (length: number) => {
        asked.push(length);
        return world.randomBytes(length);
      },
    };
    const input = {
      clientId: "c",
      redirectUri,
      scopes: undefined,
      pkce: true,
      offlineAccess: false,
    };
    const make = () => createAuthorizationAttempt(counting, imagined({}), input);
    const one = new URL((await make()).url).searchParams;
    const other = new URL((await make()).url).searchParams;
    expect(asked).toEqual([32, 32, 32, 32, 32, 32]);
    for (const name of ["state", "nonce", "code_challenge"]) {
      expect(one.get(name)).toHaveLength(43);
      expect(one.get(name)).not.toBe(other.get(name));
    }
    expect(one.get("code_challenge_method")).toBe("S256");
  });

  test("the state is compared whole, and only the right one counts [A01]", async () => {
    const world = makeWorld();
    const input = {
      clientId: "c",
      redirectUri,
      scopes: undefined,
      pkce: true,
      offlineAccess: false,
    };
    const attempt = await createAuthorizationAttempt(world, imagined({}), input);
    const state = new URL(attempt.url).searchParams.get("state") ?? "";
    expect(attempt.isExpectedState(state)).toBe(true);
    for (const wrong of [
      "",
      state.slice(1),
      `${state}x`,
      state.toLowerCase(),
      `${state.startsWith("x") ? "y" : "x"}${state.slice(1)}`,
    ]) {
      expect(attempt.isExpectedState(wrong)).toBe(false);
    }
  });

  test("PKCE is sent whatever the metadata says, and not at all when it is off [A02]", async () => {
    const query = await queryOf({}, { pkce: false });
    expect(Object.keys(query).filter((name) => name.includes("challenge"))).toEqual([]);
    expect(await queryOf({})).toMatchObject({ code_challenge_method: "S256" });
  });

  test("keeps the endpoint's own query and names nothing twice [A10]", async () => {
    const authorizationEndpoint = "https://id.example/authorize?tenant=a&client_id=planted&x=1";
    const query = await queryOf({ authorizationEndpoint }, { extraParameters: { x: "2" } });
    expect(query).toMatchObject({ tenant: "a", client_id: "c", x: "2", response_type: "code" });
  });

  test("an endpoint with a fragment is refused [A10]", async () => {
    const endpoints = ["https://id.example/authorize#x", "https://id.example/authorize#"];
    for (const authorizationEndpoint of endpoints) {
      const error = await failureOf(queryOf({ authorizationEndpoint }));
      expect(error).toMatchObject({
        code: "endpoint_invalid",
        reason: "authorization_endpoint",
      });
    }
  });

  test.each([
    "state",
    "nonce",
    "redirect_uri",
    "client_id",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "scope",
    "request",
    "request_uri",
    "client_secret",
  ])("an extra parameter can't be %s [A11]", async (name) => {
    const error = await failureOf(queryOf({}, { extraParameters: { [name]: "x" } }));
    expect(error.code).toBe("invalid_option");
    expect(error.message).toContain(name);
  });

  test.each<[string, Partial<ProviderMetadata>, Partial<AuthorizationInput>, string | undefined]>([
    ["nothing listed", {}, {}, "openid profile email"],
    ["openid listed", { scopesSupported: ["openid", "x"] }, {}, "openid profile email"],
    ["openid not listed", { scopesSupported: ["user:info"] }, {}, undefined],
    ["set", { scopesSupported: ["user:info"] }, { scopes: ["openid", "a"] }, "openid a"],
    ["set to none", {}, { scopes: [] }, undefined],
    ["offline", {}, { offlineAccess: true }, "openid profile email offline_access"],
    ["named twice", {}, { scopes: ["a", "a"] }, "a"],
  ])("scopes: %s", async (_name, metadata, input, expected) => {
    const query = await queryOf(metadata, input);
    expect(query["scope"]).toBe(expected);
    const isOpenId = expected?.split(" ").includes("openid") === true;
    expect(query["nonce"] !== undefined).toBe(isOpenId);
  });

  test("offlineAccess asks for consent unless prompt says otherwise", async () => {
    expect((await queryOf({}, { offlineAccess: true }))["prompt"]).toBe("consent");
    const query = await queryOf({}, { offlineAccess: true, prompt: "login" });
    expect(query["prompt"]).toBe("login");
    expect(await queryOf({})).not.toHaveProperty("prompt");
  });

  test("audience, login hint and prompt are sent as they are", async () => {
    const input = { audience: "https://api.example/ü", loginHint: "alice & bob", prompt: "login" };
    expect(await queryOf({}, input)).toMatchObject({
      audience: "https://api.example/ü",
      login_hint: "alice & bob",
      prompt: "login",
    });
  });

  test("max_age, acr_values and each resource are parameters, 0 too [A12]", async () => {
    const attempt = await createAuthorizationAttempt(
      makeWorld(),
      imagined({
        authorizationEndpoint: "https://id.example/authorize?resource=planted&max_age=9",
      }),
      {
        clientId: "c",
        redirectUri,
        scopes: undefined,
        pkce: true,
        offlineAccess: false,
        maxAgeSeconds: 0,
        acrValues: ["phr", "phrh"],
        resources: ["https://api.example/a", "urn:b"],
      },
    );
    const query = new URL(attempt.url).searchParams;
    expect(query.getAll("max_age")).toEqual(["0"]);
    expect(query.getAll("acr_values")).toEqual(["phr phrh"]);
    expect(query.getAll("resource")).toEqual(["https://api.example/a", "urn:b"]);
  });

  test("where pushed requests are required and have no endpoint, no URL is made [A13]", async () => {
    const error = await failureOf(queryOf({ pushedAuthorizationRequired: true }));
    expect(error).toMatchObject({ code: "authorization_failed", reason: "par_required" });
  });

  test("without an authorization endpoint there is no interactive flow", async () => {
    const provider = imagined({});
    const { authorizationEndpoint: _none, ...metadata } = provider.metadata;
    const input = {
      clientId: "c",
      redirectUri,
      scopes: undefined,
      pkce: true,
      offlineAccess: false,
    };
    const attempt = createAuthorizationAttempt(makeWorld(), { ...provider, metadata }, input);
    expect((await failureOf(attempt)).code).toBe("no_interactive_flow");
  });
});
