// A server's address is all that the command line is given. Changes when a server can be named in another way.

import type { sendUnaryData } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { adminService } from "../../src/messages/admin-service.ts";
import { oidcService } from "../../src/messages/oidc-service.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startProtectedResource } from "../support/protected-resource.ts";
import { desk, provider, type Desk } from "./harness.ts";

/** What is no part of the question who signs in where, for a person whose browser trusts an authority. */
function about(at: Desk, { caPath }: { readonly caPath: string }): string[] {
  const browser = `/usr/bin/env LATCHKEY_TEST_CA=${caPath} ${at.browser}`;
  return ["--callback-port", "0", "--callback-timeout-seconds", "20", "--browser-command", browser];
}

test("https with a private authority: signs in, and a second run makes no request at all", async () => {
  const at = await desk();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const tls = { cert: authority.certificate, key: authority.key };
  const identityProvider = await provider({ tls: authority });
  const resource = await startProtectedResource(identityProvider, {}, tls);
  const { server } = resource;
  const named = ["--server", server.origin, "--ca-cert-path", authority.caPath];
  // The provider is on the server's own host, so its answer cannot phish; without a terminal only loopback is let in.
  const first = await at.run(["token", ...named, ...about(at, authority)]);
  expect([first.code, first.stderr.includes("issuer_untrusted")]).toEqual([0, false]);
  expect(resource.asked()).toBe(1);
  identityProvider.resetRequests();
  const second = await at.run(["token", ...named]);
  expect([second.code, second.stdout, second.stderr]).toEqual([0, first.stdout, ""]);
  expect([resource.asked(), identityProvider.requests().total]).toEqual([1, 0]);
  const status = await at.run(["status", "--json", ...named]);
  expect(JSON.parse(status.stdout)).toMatchObject([
    { server: server.origin, issuer: identityProvider.issuer, clientId: "public-client" },
  ]);
  const listed = await at.run(["trust", "list"]);
  expect(listed.stdout).toContain(new URL(server.origin).host);
  const wrong = await at.run(["login", "--server", server.origin, ...about(at, authority)]);
  expect([wrong.code, wrong.stdout]).toEqual([6, ""]);
  expect(wrong.stderr).toContain("[tls");
});

test.each([
  ["latchkey.v1.OidcService", oidcService],
  ["xgtproto.AdminService", adminService],
])("gRPC with TLS and a private authority: %s", async (_name, definition) => {
  const at = await desk();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  let asked = 0;
  const getOidcIssuer = (_call: unknown, callback: sendUnaryData<object>): void => {
    asked += 1;
    const { issuer, clients } = identityProvider;
    const { clientId } = clients.public;
    callback(null, { issuer, clientId, configured: true, audience: "graph", scopes: "openid" });
  };
  const server = await startGrpcServer(
    [{ definition, implementation: { getOidcIssuer } }],
    authority,
  );
  onTestFinished(() => server.close());
  const named = ["--server", server.address, "--ca-cert-path", authority.caPath];
  const first = await at.run(["token", ...named, "--use-server-audience", ...about(at, authority)]);
  expect([first.code, first.stderr.includes("[")]).toEqual([0, false]);
  expect(identityProvider.authorizationRequests()[0]?.get("audience")).toBe("graph");
  identityProvider.resetRequests();
  const second = await at.run(["token", ...named, "--use-server-audience"]);
  expect([second.stdout, second.stderr]).toEqual([first.stdout, ""]);
  expect([asked, identityProvider.requests().total]).toEqual([1, 0]);
});
