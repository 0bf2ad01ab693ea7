// `latchkey fetch` against a provider and a server that checks its tokens. Changes when the command does.

import { expect, test } from "vitest";
import { startCheckingServers } from "../support/checking-server.ts";
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
