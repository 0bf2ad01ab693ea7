// What a call wants, put into one sign-in.

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { OidcAuth } from "../index.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import { desktop, emptyHome, pollQuickly, provider } from "../../test/flow/harness.ts";
import { targetOfToken, tokenTarget } from "./provider-input.ts";
import type { SignInInput } from "./sign-in-config.ts";
import { inputWith } from "../../test/support/flow-input.ts";
import { withVariant } from "./variant.ts";

const metadata = { issuer: "https://id.example.com" } as ProviderMetadata;

function signInWith(changes: Readonly<Record<string, unknown>>): Promise<SignInInput> {
  return inputWith({ issuer: "https://id.example.com", clientId: "cli", ...changes });
}

test("without a variant nothing changes, secrets included", async () => {
  const options = { clientSecret: "s", scopes: ["a"], resource: "urn:a", maxAge: 5 };
  const input = await signInWith(options);
  const varied = withVariant(input, {}, metadata);
  expect(varied).toEqual(input);
  const { credential } = varied.config;
  expect(credential.kind === "secret" && credential.secret.reveal()).toBe("s");
  expect(JSON.stringify(varied)).not.toContain('"s"');
  const { audience, resources, tokenResources } = tokenTarget(varied.config);
  expect([audience, resources, tokenResources]).toEqual([undefined, ["urn:a"], undefined]);
});

test("a grant covers the configuration's resources and the call's, the token only the former [D10]", async () => {
  const target = { scopes: null, resources: ["urn:b"] };
  const none = withVariant(await signInWith({ audience: "x" }), { target }, metadata);
  expect(tokenTarget(none.config)).toEqual({
    audience: "x",
    resources: ["urn:b"],
    tokenResources: [],
  });
  const two = await signInWith({ resource: ["urn:a", "urn:b"] });
  const some = withVariant(two, { target }, metadata);
  expect(tokenTarget(some.config)).toMatchObject({
    resources: ["urn:a", "urn:b"],
    tokenResources: ["urn:a", "urn:b"],
  });
});

test("a named resource takes the place of the configuration's, and of its audience", async () => {
  const { config } = await signInWith({ audience: "x", resource: "urn:a" });
  expect(targetOfToken(config, { scopes: null, resources: ["urn:b"] })).toEqual({
    audience: undefined,
    resources: ["urn:b"],
  });
  const own = { audience: "x", resources: ["urn:a"] };
  expect(targetOfToken(config, { scopes: ["s"], resources: null })).toEqual(own);
  expect(targetOfToken(config, undefined)).toEqual(own);
});

test("the device flow asks for both, and its own token stays for its own resource [D10]", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  pollQuickly(identityProvider);
  const auth = new OidcAuth({
    ...desktop(identityProvider),
    flow: "device",
    scopes: ["openid", "api:read"],
    resource: "urn:demo:api",
  });
  const token = await auth.getToken({ resource: "urn:reports:api" });
  expect([token.source, decodeJwt(token.token)["aud"]]).toEqual(["login", "urn:reports:api"]);
  const [device] = identityProvider.requestsOf("device");
  expect(new URLSearchParams(device?.body).getAll("resource")).toEqual([
    "urn:demo:api",
    "urn:reports:api",
  ]);
  const resources = identityProvider.tokenRequests().map((body) => body.getAll("resource"));
  expect(resources.at(0)).toEqual(["urn:demo:api"]);
  expect(decodeJwt((await auth.getToken()).token)["aud"]).toBe("urn:demo:api");
});
