import { expect, test } from "vitest";
import { parseMetadata } from "./metadata-document.ts";
import type { ProviderOptions } from "./provider-types.ts";

const issuer = "https://id.example.com";
const options: ProviderOptions = {
  issuer,
  clientId: "cli",
  allowInsecureHttp: false,
  flow: "auto",
};

function endSessionEndpointOf(value: unknown): string | undefined {
  const document = { issuer, token_endpoint: `${issuer}/token`, end_session_endpoint: value };
  return parseMetadata(document, "openid", options).endSessionEndpoint;
}

test("the end_session_endpoint is kept as it is", () => {
  expect(endSessionEndpointOf(`${issuer}/logout?a=b`)).toBe(`${issuer}/logout?a=b`);
});

test.each([
  ["http:", "http://id.example.com/logout"],
  ["http: on this machine", "http://127.0.0.1/logout"],
  ["a script", "javascript:alert(1)"],
  ["a file", "file:///etc/passwd"],
  ["a user name", "https://id.example.com@evil.example/"],
  ["a fragment", `${issuer}/logout#x`],
  ["no text", 7],
  ["nothing", undefined],
])(
  "an end_session_endpoint that is %s is left out and hinders no sign-in [D05]",
  (_name, value) => {
    expect(endSessionEndpointOf(value)).toBeUndefined();
  },
);

test("endpoints and keys on another origin are the issuer's own decision: Google does it [D06]", () => {
  const document = {
    issuer,
    token_endpoint: "https://oauth2.example.net/token",
    jwks_uri: "https://keys.example.org/certs",
  };
  expect(parseMetadata(document, "openid", options)).toMatchObject({
    tokenEndpoint: document.token_endpoint,
    jwksUri: document.jwks_uri,
  });
});
