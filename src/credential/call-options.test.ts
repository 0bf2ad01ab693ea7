// What a call of getToken may wish.

import { expect, test } from "vitest";
import { BearerTokenAuth, memoryStore, OidcAuth, OidcCredentialsAuth } from "../index.ts";
import { failureOf } from "../../test/flow/harness.ts";
import { checkedCallOptions } from "./call-options.ts";

test("wishes are copied: an array that is changed later changes nothing", () => {
  const scopes = ["a"];
  const checked = checkedCallOptions({ scopes, minValiditySeconds: 5 });
  scopes.push("b");
  expect(checked).toEqual({ scopes: ["a"], minValiditySeconds: 5 });
  const plain = { forceRefresh: true };
  expect(checkedCallOptions(plain)).toBe(plain);
});

test("a given token is what it is: wishes do not change it", async () => {
  const auth = new BearerTokenAuth({ token: "given.token" });
  const token = await auth.getToken({ scopes: ["x"], resource: "urn:a", acrValues: ["y"] });
  expect([token.token, token.source]).toEqual(["given.token", "static"]);
});

test.each<[string, object]>([
  ["scopes", { scopes: "api:read" }],
  ["scopes", { scopes: ["a b"] }],
  ["resource", { resource: "no uri" }],
  ["resource", { resource: ["https://api.example.com/#x"] }],
  ["resource", { resource: [] }],
  ["acrValues", { acrValues: "gold" }],
  ["acrValues", { acrValues: [] }],
  ["maxAgeSeconds", { maxAgeSeconds: -1 }],
  ["maxAgeSeconds", { maxAgeSeconds: 1.5 }],
])("a wish that cannot be is invalid_option and named: %s %o", async (name, options) => {
  for (const auth of [
    new OidcAuth({ issuer: "https://id.example.com", clientId: "x", store: memoryStore() }),
    new OidcCredentialsAuth({ issuer: "https://id.example.com", clientId: "x", clientSecret: "y" }),
  ]) {
    const error = await failureOf(auth.getToken(options));
    expect([error.code, error.message.includes(`\`${name}\``)]).toEqual(["invalid_option", true]);
  }
});
