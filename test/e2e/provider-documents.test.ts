// Discovery documents as real providers have them, in the library and on the command line. Changes when one more is met.

import { describe, expect, test } from "vitest";
import type { OidcAuthOptions, PromptEvent } from "../../src/index.ts";
import { changeAnswer } from "../errors/provocation.ts";
import { credential, emptyHome, failureOf, person } from "../flow/harness.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { desk, provider } from "./harness.ts";

type Document = Readonly<Record<string, unknown>>;

/** A provider whose document differs from the genuine one by these members; undefined takes one away. */
async function providerWith(document: Document): Promise<IdentityProvider> {
  const identityProvider = await provider();
  changeAnswer(identityProvider, "discovery", () => document);
  return identityProvider;
}

/** How a sign-in fails: in the library, and what the command line says in one line. */
async function failuresAt(
  identityProvider: IdentityProvider,
  { options = {}, flags = [] }: { options?: OidcAuthOptions; flags?: readonly string[] } = {},
): Promise<{ library: string; message: string; code: number | null; said: string }> {
  emptyHome();
  const error = await failureOf(credential(identityProvider, options).getToken());
  const at = await desk();
  const { code, stderr } = await at.run(["login", ...at.flags(identityProvider), ...flags]);
  return {
    library: `${error.code}${error.reason === undefined ? "" : `: ${error.reason}`}`,
    message: error.message,
    code,
    said: stderr.trim().replaceAll(/\s+/g, " "),
  };
}

describe("an endpoint that the sign-in does not use [unneeded-endpoint-unusable]", () => {
  test.each<[string, Document]>([
    ["userinfo_endpoint is empty", { userinfo_endpoint: "" }],
    [
      "device_authorization_endpoint and revocation_endpoint are empty",
      { device_authorization_endpoint: "", revocation_endpoint: "" },
    ],
    ["userinfo_endpoint is a path", { userinfo_endpoint: "/userinfo" }],
    [
      "the endpoints besides are http: beyond this machine",
      {
        userinfo_endpoint: "http://op.example.com/userinfo",
        revocation_endpoint: "http://op.example.com/revoke",
        device_authorization_endpoint: "http://op.example.com/device",
      },
    ],
  ])("%s: a sign-in all the same", async (_what, document) => {
    const identityProvider = await providerWith(document);
    emptyHome();
    expect((await credential(identityProvider).getToken()).source).toBe("login");
    const at = await desk();
    const { code, stderr } = await at.run(["login", ...at.flags(identityProvider)]);
    expect([code, stderr.includes("Signed in to")]).toEqual([0, true]);
  });

  test("is judged by whoever needs it: userinfo", async () => {
    const identityProvider = await providerWith({ userinfo_endpoint: "/userinfo" });
    emptyHome();
    const auth = credential(identityProvider);
    await auth.getToken();
    const error = await failureOf(auth.userInfo());
    expect([error.code, error.reason]).toEqual(["endpoint_invalid", "userinfo_endpoint"]);
    expect(error.message).toContain("names no userinfo endpoint that can be used");
  });

  test("is judged by whoever needs it: the device flow", async () => {
    const identityProvider = await providerWith({
      device_authorization_endpoint: "http://op.example.com/device",
    });
    const { library, code, said } = await failuresAt(identityProvider, {
      options: { flow: "device" },
      flags: ["--flow", "device"],
    });
    expect([library, code]).toEqual(["endpoint_invalid: device_authorization_endpoint", 1]);
    expect(said).toContain("set --device-authorization-endpoint");
    expect(said).toMatch(/\[endpoint_invalid: device_authorization_endpoint\]$/);
  });

  test("of the device flow: the browser's endpoint does not matter", async () => {
    const identityProvider = await providerWith({
      authorization_endpoint: "http://op.example.com/authorize",
    });
    emptyHome();
    const someone = person();
    const auth = credential(identityProvider, { flow: "device", onPrompt: someone.onPrompt });
    expect((await auth.getToken()).source).toBe("login");
  });

  test.each(["authorization_endpoint", "token_endpoint", "jwks_uri"])(
    "of the browser's sign-in ends it as before: %s",
    async (field) => {
      const identityProvider = await providerWith({ [field]: "http://op.example.com/x" });
      emptyHome();
      const error = await failureOf(credential(identityProvider).getToken());
      expect([error.code, error.reason]).toEqual(["endpoint_invalid", field]);
    },
  );
});

test.each([["urn:kubernetes:programmatic_authorization"], [""]])(
  'authorization_endpoint "%s" is none: no_interactive_flow [optional-or-foreign-values]',
  async (authorization_endpoint) => {
    const identityProvider = await providerWith({
      authorization_endpoint,
      device_authorization_endpoint: "",
    });
    const { library, message, code, said } = await failuresAt(identityProvider);
    expect([library, code]).toEqual(["no_interactive_flow", 1]);
    expect(message).toContain("offers a token endpoint (discovery)");
    expect(said).toContain("--authorization-endpoint");
    expect(said).toMatch(/\[no_interactive_flow\]$/);
  },
);

test("JSON that calls itself text/html, and a document behind a byte order mark [json-called-text-html-or-with-bom]", async () => {
  const identityProvider = await provider();
  for (const path of ["discovery", "jwks", "token"] as const) {
    identityProvider.tamper({
      path,
      respond: async (_request, genuine) => {
        const answer = await genuine();
        const headers = { ...answer.headers, "content-type": "text/html; charset=UTF-8" };
        return {
          ...answer,
          headers,
          body: path === "token" ? answer.body : `\ufeff${answer.body}`,
        };
      },
    });
  }
  emptyHome();
  const token = await credential(identityProvider).getToken();
  expect([token.source, token.claims?.sub]).toEqual(["login", "alice"]);
  const at = await desk();
  expect((await at.run(["login", ...at.flags(identityProvider)])).code).toBe(0);
});

describe("a document of another issuer [issuer-mismatch-dead-end]", () => {
  test("both ways out are named, the second with every endpoint", async () => {
    const identityProvider = await providerWith({ issuer: "https://identity.example.com/" });
    const { library, message, code, said } = await failuresAt(identityProvider);
    expect([library, code]).toEqual(["issuer_mismatch", 1]);
    expect(message).toContain("set `issuer` to exactly that, slash for slash");
    expect(said).toMatch(
      /set --authorization-endpoint, --token-endpoint and --jwks-uri too, as http:\S+\/\.well-known\/openid-configuration names them\. \[issuer_mismatch\]$/,
    );
  });

  test("no document at all: the key set is named beside the endpoints", async () => {
    const { library, code, said } = await failuresAt(await provider({ discovery: "none" }));
    expect([library, code]).toEqual(["discovery_failed: not_found", 1]);
    expect(said).toContain("set --authorization-endpoint, --token-endpoint and");
    expect(said).toContain("--jwks-uri");
  });
});

test("private_key_jwt alone: said before a browser opens, and at the refusal [private-key-jwt-alone]", async () => {
  const identityProvider = await providerWith({
    token_endpoint_auth_methods_supported: ["private_key_jwt"],
  });
  identityProvider.tamper({
    path: "token",
    respond: async () => ({
      status: 401,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: "invalid_client" }),
    }),
  });
  const someone = person();
  const { library, message, code, said } = await failuresAt(identityProvider, {
    options: { onPrompt: someone.onPrompt },
  });
  const words =
    "authenticates clients by private_key_jwt alone, which Latchkey does not support yet";
  expect([library, code]).toEqual(["token_request_failed: invalid_client", 1]);
  expect(message).toContain(words);
  const isWarning = (event: PromptEvent) =>
    event.type === "warning" && event.code === "client_authentication_unsupported";
  const types = someone.events.map((event) => (isWarning(event) ? "warned" : event.type));
  expect(types.slice(0, 2)).toEqual(["warned", "authorizationUrl"]);
  expect(said).toContain(words);
  expect(said).not.toContain("LATCHKEY_CLIENT_SECRET");
  expect(said).toMatch(/\[token_request_failed: invalid_client\]$/);
});
