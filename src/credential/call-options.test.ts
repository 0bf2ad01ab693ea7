// What a call of getToken may ask for.

import { expect, test } from "vitest";
import { BearerTokenAuth, memoryStore, OidcAuth, OidcCredentialsAuth } from "../index.ts";
import { failureOf } from "../../test/flow/harness.ts";
import { polluteObjects } from "../../test/support/polluted-prototype.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { checkedCallOptions, plainValiditySeconds } from "./call-options.ts";

test("wishes are copied: an array that is changed later changes nothing", () => {
  const scopes = ["a"];
  const checked = checkedCallOptions({ scopes, minValiditySeconds: 5 });
  scopes.push("b");
  expect(checked).toEqual({ scopes: ["a"], minValiditySeconds: 5 });
  const plain = { forceRefresh: true };
  expect(checkedCallOptions(plain)).toEqual(plain);
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

test.each<[string, unknown]>([
  ["minValiditySeconds", { minValiditySeconds: Number.NaN }],
  ["minValiditySeconds", { minValiditySeconds: -1 }],
  ["minValiditySeconds", { minValiditySeconds: "60" }],
  ["forceRefresh", { forceRefresh: "yes" }],
  ["interactive", { interactive: 0 }],
  ["rejectedToken", { rejectedToken: { token: "canary" } }],
  ["tokenKind", { tokenKind: "canary" }],
  ["signal", { signal: {} }],
  ["signal", { signal: null }],
  ["forceRefresh: true", null],
  ["forceRefresh: true", "canary"],
  ["forceRefresh: true", ["canary"]],
])("what no call can ask for is invalid_option, and its value is not told: %s", async (...row) => {
  const [name, options] = row;
  for (const auth of [
    new BearerTokenAuth({ token: "given.token" }),
    new OidcAuth({ issuer: "https://id.example.com", clientId: "x", store: memoryStore() }),
    new OidcCredentialsAuth({ issuer: "https://id.example.com", clientId: "x", clientSecret: "y" }),
  ]) {
    const error = await failureOf(auth.getToken(options as object));
    expect([error.code, error.message.includes(name)]).toEqual(["invalid_option", true]);
    expect(error.message).not.toContain("canary");
  }
});

test("what is unusual and possible is accepted", () => {
  const { signal } = new AbortController();
  for (const options of [
    { minValiditySeconds: 0 },
    { minValiditySeconds: Number.POSITIVE_INFINITY },
    { rejectedToken: "" },
    { signal, forceRefresh: undefined },
  ]) {
    expect(checkedCallOptions(options)).toEqual(options);
  }
});

test.for([
  [undefined, 60],
  [{}, 60],
  [{ interactive: false, signal: new AbortController().signal }, 60],
  [{ minValiditySeconds: 5, forceRefresh: undefined }, 5],
  [{ minValiditySeconds: -1 }, undefined],
  [{ minValiditySeconds: "5" }, undefined],
  [{ interactive: "no" }, undefined],
  [{ signal: AbortSignal.abort() }, undefined],
  [{ signal: {} }, undefined],
  [{ forceRefresh: false }, undefined],
  [{ forceRefresh: true }, undefined],
  [{ rejectedToken: "x" }, undefined],
  [{ scopes: ["a"] }, undefined],
  [{ minvalidityseconds: 5 }, undefined],
  [{ unknown: undefined }, undefined],
  [null, undefined],
  [5, undefined],
] as const)("%j is a plain call that wants %j seconds", ([options, seconds]) => {
  expect(plainValiditySeconds(options as GetTokenOptions)).toBe(seconds);
});

test("what a polluted prototype has is no part of a call [P05]", () => {
  const clean = polluteObjects({ minValiditySeconds: 0 });
  const seconds = plainValiditySeconds({ interactive: true });
  clean();
  expect(seconds).toBe(60);
});
