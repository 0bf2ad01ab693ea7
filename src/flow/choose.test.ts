// Changes when another flow can be chosen.

import { expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import { chooseFlow } from "./choose.ts";

const issuer = "https://id.example.com/tenant";
const browser = { authorizationEndpoint: `${issuer}/auth` };
const device = { deviceAuthorizationEndpoint: `${issuer}/device` };
const token = { tokenEndpoint: `${issuer}/token` };

function choose(
  flow: "auto" | "auth_code" | "device",
  endpoints: Partial<ProviderMetadata>,
): string {
  const metadata: ProviderMetadata = {
    issuer,
    source: "openid",
    issParameterSupported: false,
    pushedAuthorizationRequired: false,
    ...endpoints,
  };
  try {
    return chooseFlow({ flow }, metadata).flow;
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

test.for([
  ["auto", { ...browser, ...device, ...token }, "auth_code"],
  ["auto", { ...browser, ...token }, "auth_code"],
  ["auto", { ...device, ...token }, "device"],
  ["auth_code", { ...browser, ...device, ...token }, "auth_code"],
  ["device", { ...browser, ...device, ...token }, "device"],
] as const)("%s with %j", ([flow, endpoints, chosen]) => {
  expect(choose(flow, endpoints)).toBe(chosen);
});

test.for([
  ["auto", {}, "none of the endpoints of a sign-in"],
  ["auto", token, "offers a token endpoint (discovery)"],
  [
    "auto",
    { ...browser, ...device },
    "an authorization endpoint and a device authorization endpoint",
  ],
  ["auth_code", { ...device, ...token }, "a device authorization endpoint and a token endpoint"],
  ["device", { ...browser, ...token }, "an authorization endpoint and a token endpoint"],
] as const)(
  "%s with %j says what is offered, and which options would help",
  ([flow, endpoints, words]) => {
    const message = choose(flow, endpoints);
    expect(message).toMatch(/^no_interactive_flow: /);
    expect(message).toContain(words);
    expect(message).toContain("id.example.com:443");
    expect(message).toContain("`tokenEndpoint`");
  },
);

test("only where auto had to settle for a code is that explained, without the secrets of an address", () => {
  const metadata: ProviderMetadata = {
    issuer,
    source: "openid",
    issParameterSupported: false,
    pushedAuthorizationRequired: false,
    ...device,
    ...token,
  };
  expect(chooseFlow({ flow: "auto" }, metadata)).toEqual({
    flow: "device",
    why: "id.example.com names no authorization endpoint, so you sign in with a code, on any device.",
  });
  expect(chooseFlow({ flow: "device" }, metadata)).toEqual({ flow: "device" });
});
