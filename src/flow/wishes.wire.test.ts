// A call's wishes put into the options of one sign-in.

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { OidcAuth } from "../index.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import { desktop, emptyHome, pollQuickly, provider } from "../../test/flow/harness.ts";
import { targetOfToken, tokenTarget } from "./provider-input.ts";
import { withWishes } from "./wishes.ts";

const metadata = { issuer: "https://id.example.com" } as ProviderMetadata;

function optionsWith(changes: Readonly<Record<string, unknown>>) {
  return resolveOptions(
    { issuer: "https://id.example.com", clientId: "cli", ...changes },
    "interactive",
  );
}

test("without a wish nothing changes, secrets included", () => {
  const options = optionsWith({ clientSecret: "s", scopes: ["a"], resource: "urn:a", maxAge: 5 });
  const wished = withWishes(options, {}, metadata);
  expect(wished).toEqual(options);
  expect([wished.clientSecret, JSON.stringify(wished).includes('"s"')]).toEqual(["s", false]);
  const { audience, resources, tokenResources } = tokenTarget(wished);
  expect([audience, resources, tokenResources]).toEqual([undefined, ["urn:a"], undefined]);
});

test("a grant covers the configuration's resources and the call's, the token only the former [D10]", () => {
  const target = { scopes: null, resources: ["urn:b"] };
  const none = withWishes(optionsWith({ audience: "x" }), { target }, metadata);
  expect(tokenTarget(none)).toEqual({ audience: "x", resources: ["urn:b"], tokenResources: [] });
  const some = withWishes(optionsWith({ resource: ["urn:a", "urn:b"] }), { target }, metadata);
  expect(tokenTarget(some)).toMatchObject({
    resources: ["urn:a", "urn:b"],
    tokenResources: ["urn:a", "urn:b"],
  });
});

test("a named resource takes the place of the configuration's, and of its audience", () => {
  const options = optionsWith({ audience: "x", resource: "urn:a" });
  expect(targetOfToken(options, { scopes: null, resources: ["urn:b"] })).toEqual({
    audience: undefined,
    resources: ["urn:b"],
  });
  const own = { audience: "x", resources: ["urn:a"] };
  expect(targetOfToken(options, { scopes: ["s"], resources: null })).toEqual(own);
  expect(targetOfToken(options, undefined)).toEqual(own);
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
