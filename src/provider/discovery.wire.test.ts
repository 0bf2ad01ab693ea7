// Changes with how a provider is found.
import { afterEach, describe, expect, test } from "vitest";
import {
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import type { IdentityProvider } from "../../test/support/identity-provider.ts";
import { wellKnownForms } from "./discovery.ts";
import { openProvider } from "./metadata.ts";

afterEach(cleanUp);

/** Changes members of the genuine document; undefined takes one away. */
function changeDocument(
  provider: IdentityProvider,
  changes: Readonly<Record<string, unknown>>,
): () => void {
  return provider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const body = JSON.stringify({ ...JSON.parse(answer.body), ...changes });
      return { ...answer, body };
    },
  });
}

describe("the well-known forms", () => {
  test("stay on the issuer's origin, OpenID's first, without an empty path segment [D03]", () => {
    expect(wellKnownForms("https://id.example/tenant/").map(({ url }) => url)).toEqual([
      "https://id.example/tenant/.well-known/openid-configuration",
      "https://id.example/.well-known/oauth-authorization-server/tenant",
      "https://id.example/tenant/.well-known/oauth-authorization-server",
      "https://id.example/.well-known/openid-configuration/tenant",
    ]);
    expect(wellKnownForms("https://id.example").map(({ url }) => url)).toEqual([
      "https://id.example/.well-known/openid-configuration",
      "https://id.example/.well-known/oauth-authorization-server",
    ]);
  });

  test("of an issuer that a resource named: in MCP's order, and never the root's [D03]", () => {
    expect(wellKnownForms("https://id.example/t", true).map(({ url }) => url)).toEqual([
      "https://id.example/.well-known/oauth-authorization-server/t",
      "https://id.example/.well-known/openid-configuration/t",
      "https://id.example/t/.well-known/openid-configuration",
      "https://id.example/t/.well-known/oauth-authorization-server",
    ]);
    expect(wellKnownForms("https://id.example", true).map(({ source }) => source)).toEqual([
      "oauth",
      "openid",
    ]);
  });

  test.each([
    { discovery: "openid", source: "openid", requests: 1 },
    { discovery: "rfc8414-inserted", source: "oauth", requests: 2 },
    { discovery: "rfc8414-appended", source: "oauth", requests: 3 },
    { discovery: "openid-inserted", source: "openid", requests: 4 },
  ] as const)(
    "finds an issuer with a path by $discovery [D03]",
    async ({ discovery, source, requests }) => {
      const provider = await startProvider({ issuerPath: "/tenant/a", discovery });
      const { metadata } = await openProvider(makeWorld(), optionsFor(provider));
      expect(metadata.source).toBe(source);
      expect(metadata.issuer).toBe(provider.issuer);
      expect(metadata.tokenEndpoint).toBe(`${provider.issuer}/token`);
      expect(provider.requests().total).toBe(requests);
    },
  );

  test("says which forms were tried when there is none [D03]", async () => {
    const provider = await startProvider({ issuerPath: "/tenant/a", discovery: "none" });
    const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
    expect(error.code).toBe("discovery_failed");
    expect(error.message).toContain(
      "(status 404 at /tenant/a/.well-known/openid-configuration, " +
        "/.well-known/oauth-authorization-server/tenant/a, " +
        "/tenant/a/.well-known/oauth-authorization-server, " +
        "/.well-known/openid-configuration/tenant/a). Check `issuer`",
    );
    expect(provider.requests().discovery).toBe(4);
  });

  test("a web page is no document: the next form is tried [N05]", async () => {
    const provider = await startProvider({ issuerPath: "/t" });
    provider.tamper({
      path: "discovery",
      times: 1,
      respond: async () => ({
        status: 200,
        headers: { "content-type": "text/html" },
        body: "<!doctype html><title>Wi-Fi</title>",
      }),
    });
    const { metadata } = await openProvider(makeWorld(), optionsFor(provider));
    expect(metadata.source).toBe("oauth");
  });

  test("after a transport failure no other form is tried", async () => {
    const provider = await startProvider();
    provider.tamper({ path: "discovery", respond: async () => "reset" });
    const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
    expect(error.code).toBe("network");
    const forms = provider.requestsOf("discovery").map(({ url }) => url);
    expect(new Set(forms)).toEqual(new Set(["/.well-known/openid-configuration"]));
  });

  test("a failing server ends the search with discovery_failed", async () => {
    const provider = await startProvider();
    provider.tamper({ path: "discovery", respond: async () => ({ status: 500 }) });
    const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
    expect(error).toMatchObject({ code: "discovery_failed", reason: "server_error" });
    const forms = provider.requestsOf("discovery").map(({ url }) => url);
    expect(new Set(forms).size).toBe(1);
  });

  test("all forms together have one time limit", async () => {
    const provider = await startProvider({ discovery: "none" });
    const world = makeWorld({ timeoutSeconds: 3600 });
    const limits: (() => void)[] = [];
    const clock = {
      ...world.clock,
      sleep: (milliseconds: number, options = {}) =>
        milliseconds === 7000
          ? new Promise<void>((resolve) => void limits.push(resolve))
          : world.clock.sleep(milliseconds, options),
    };
    let asked = 0;
    provider.tamper({
      path: "discovery",
      respond: (_request, genuine) => {
        asked += 1;
        if (asked === 1) return genuine();
        for (const limit of limits) limit();
        return new Promise(() => undefined);
      },
    });
    const options = optionsFor(provider, { httpTimeoutSeconds: 7 });
    const error = await failureOf(openProvider({ ...world, clock }, options));
    expect(error.code).toBe("timeout");
    expect(error.message).toContain("7 seconds");
  });
});

describe("the issuer in the document", () => {
  test.each(["slash", "case", "other host", "suffix"])(
    "must be the configured one byte for byte: %s [D01]",
    async (kind) => {
      const provider = await startProvider();
      const changed = {
        slash: `${provider.issuer}/`,
        case: provider.issuer.replace("http", "HTTP"),
        "other host": "https://evil.example",
        suffix: `${provider.issuer}.evil.example`,
      }[kind];
      changeDocument(provider, { issuer: changed });
      const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
      expect(error.code).toBe("issuer_mismatch");
      expect(error.message).toContain(`"${provider.issuer}"`);
      expect(error.message).toContain(`"${changed}"`);
      expect(provider.requests().total).toBe(1);
    },
  );

  test("a document without an issuer is none", async () => {
    const provider = await startProvider();
    changeDocument(provider, { issuer: ["x"] });
    const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
    expect(error.code).toBe("discovery_failed");
  });

  test("an empty issuer and one that is no URL never become requests", async () => {
    const provider = await startProvider();
    const open = (issuer: string) =>
      failureOf(openProvider(makeWorld(), optionsFor(provider, { issuer })));
    expect((await open("")).code).toBe("missing_issuer");
    expect((await open("no url")).code).toBe("invalid_option");
    expect((await open("http://id.example")).code).toBe("insecure_url");
  });
});

describe("endpoints in the document", () => {
  const fields = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
  const besides = ["device_authorization_endpoint", "userinfo_endpoint", "revocation_endpoint"];
  const hostile: [string, unknown][] = [
    ["http beyond this machine", "http://id.example/x"],
    ["a script", "javascript:alert(1)"],
    ["a file", "file:///etc/passwd"],
    ["a user name", "https://user@id.example/x"],
    ["a fragment", "https://id.example/x#y"],
    ["no text", 7],
    ["a relative path", "/token"],
    ["too long", `https://id.example/${"x".repeat(9000)}`],
  ];

  test.each(fields)("refuses hostile values and names the field: %s [D05][S06]", async (field) => {
    const provider = await startProvider();
    for (const [, value] of hostile) {
      const undo = changeDocument(provider, { [field]: value });
      const error = await failureOf(openProvider(makeWorld(), optionsFor(provider)));
      expect(error).toMatchObject({ code: "endpoint_invalid", reason: field });
      expect(error.message).toContain(field);
      undo();
    }
  });

  test.each(besides)(
    "leaves hostile values out that this sign-in does not use: %s [D05][S06]",
    async (field) => {
      const provider = await startProvider();
      for (const [, value] of hostile) {
        const undo = changeDocument(provider, { [field]: value });
        const { metadata } = await openProvider(
          makeWorld(),
          optionsFor(provider, { flow: "auth_code" }),
        );
        expect(Object.values(metadata)).not.toContain(value);
        expect(metadata.unusable?.[field]).toMatchObject({
          code: "endpoint_invalid",
          reason: field,
        });
        undo();
      }
    },
  );

  test("an https issuer does not get away with http endpoints, not even on loopback [S06]", async () => {
    const { endpointProblem } = await import("./endpoint.ts");
    expect(endpointProblem("http://127.0.0.1:1/t", "https://id.example", false)).toBeDefined();
    expect(endpointProblem("http://127.0.0.1:1/t", "http://127.0.0.1:1", false)).toBeUndefined();
    expect(endpointProblem("http://id.example/t", "https://id.example", true)).toBeUndefined();
  });

  test("a missing endpoint is undefined, never guessed [D05]", async () => {
    const provider = await startProvider();
    changeDocument(provider, { token_endpoint: undefined, userinfo_endpoint: null });
    const { metadata } = await openProvider(makeWorld(), optionsFor(provider));
    expect(metadata).not.toHaveProperty("tokenEndpoint");
    expect(metadata).not.toHaveProperty("userinfoEndpoint");
  });

  test("an override wins alone, over a hostile value too [D07]", async () => {
    const provider = await startProvider();
    changeDocument(provider, { token_endpoint: "http://evil.example/" });
    const tokenEndpoint = `${provider.issuer}/other`;
    const { metadata } = await openProvider(makeWorld(), optionsFor(provider, { tokenEndpoint }));
    expect(metadata.tokenEndpoint).toBe(tokenEndpoint);
    expect(metadata.authorizationEndpoint).toBe(`${provider.issuer}/auth`);
  });

  test.each([
    { flow: "auto", set: ["authorizationEndpoint", "tokenEndpoint"], requests: 0 },
    { flow: "auto", set: ["deviceAuthorizationEndpoint", "tokenEndpoint"], requests: 1 },
    { flow: "auth_code", set: ["authorizationEndpoint", "tokenEndpoint"], requests: 0 },
    { flow: "auth_code", set: ["authorizationEndpoint"], requests: 1 },
    { flow: "device", set: ["deviceAuthorizationEndpoint", "tokenEndpoint"], requests: 0 },
    { flow: "device", set: ["authorizationEndpoint", "tokenEndpoint"], requests: 1 },
    { flow: "client", set: ["tokenEndpoint"], requests: 0 },
  ] as const)("$flow with $set makes $requests discovery requests [D07]", async (row) => {
    const provider = await startProvider();
    const overrides = Object.fromEntries(row.set.map((name) => [name, `${provider.issuer}/o`]));
    const options = optionsFor(provider, { flow: row.flow, ...overrides });
    const { metadata } = await openProvider(makeWorld(), options);
    expect(provider.requests().total).toBe(row.requests);
    expect(metadata.source).toBe(row.requests === 0 ? "options" : "openid");
    expect(metadata).toMatchObject(overrides);
  });

  test("flags and lists of a wrong type count as absent", async () => {
    const provider = await startProvider();
    changeDocument(provider, {
      scopes_supported: "openid",
      id_token_signing_alg_values_supported: ["RS256", 7],
      authorization_response_iss_parameter_supported: "true",
      require_pushed_authorization_requests: 1,
    });
    const { metadata } = await openProvider(makeWorld(), optionsFor(provider));
    expect(metadata).not.toHaveProperty("scopesSupported");
    expect(metadata.idTokenSigningAlgorithms).toEqual(["RS256"]);
    expect(metadata.issParameterSupported).toBe(false);
    expect(metadata.pushedAuthorizationRequired).toBe(false);
  });
});
