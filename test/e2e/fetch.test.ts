// `latchkey fetch` against a provider and a server that checks its tokens. Changes when the command does.

import { expect, test } from "vitest";
import { startCheckingServers } from "../support/checking-server.ts";
import { startRefusingResource, wellKnown } from "../support/refusing-resource.ts";
import { desk, provider } from "./harness.ts";

test("signs in, sends a request as it was typed, and prints what is answered", async () => {
  const at = await desk();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const { origin, log } = await startCheckingServers(identityProvider);
  const named = [...at.flags(identityProvider), "--offline-access"];
  const first = await at.run(["fetch", `${origin}/echo`, ...named]);
  expect([first.code, first.stdout]).toEqual([0, "hello\n"]);
  expect(at.opened()).toHaveLength(1);

  const posted = await at.run(
    ["fetch", ...named, `${origin}/echo`, "-i", "-XPUT", "-H", "X-Own: a: b", "-d@-", "-d", "c"],
    { stdin: "line\n" },
  );
  expect(posted.code).toBe(0);
  expect(posted.stdout).toMatch(
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\nhello\n$/,
  );
  expect(log.at(-1)).toMatchObject({
    method: "PUT",
    body: "line\n&c",
    headers: { "x-own": "a: b", "content-type": "application/x-www-form-urlencoded" },
  });
});

test("an address alone: the resource's refusal leads to the provider, and the next request has a token", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const resource = await startRefusingResource({
    documents: (origin) => ({
      [wellKnown]: {
        resource: origin,
        authorization_servers: [identityProvider.issuer],
        client_id: identityProvider.clients.public.clientId,
        scopes_supported: ["openid"],
      },
    }),
  });
  const { origin, calls, documentsAsked } = resource;
  const browser = ["--callback-port", "0", "--browser-command", at.browser];
  const nobody = await at.run(["fetch", `${origin}/me`, "--no-interactive"]);
  expect([nobody.code, nobody.stdout]).toEqual([3, ""]);
  expect(nobody.stderr).toContain(`Run: latchkey login --server ${origin}`);
  const first = await at.run(["fetch", `${origin}/me`, ...browser, "-d", "twice"]);
  expect([first.code, first.stdout]).toEqual([0, "the body"]);
  expect(calls.slice(-2).map(({ line, body, token }) => [line, body, token !== undefined])).toEqual(
    [
      ["POST /me", "twice", false],
      ["POST /me", "twice", true],
    ],
  );
  const asked = documentsAsked.length;
  const second = await at.run(["fetch", `${origin}/you`, "--no-interactive"]);
  expect([second.code, documentsAsked.length, calls.at(-1)?.token]).toEqual([
    0,
    asked,
    calls.at(-2)?.token,
  ]);
});
