// What `latchkey fetch` does with answers of every kind. Changes when the command does.

import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { binary, startCheckingServers } from "../support/checking-server.ts";
import { startProtectedResource } from "../support/protected-resource.ts";
import { desk, provider } from "./harness.ts";

const command = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));

test("what is answered comes as it is, and only its own server learns the token", async () => {
  const at = await desk();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const { origin, log, logElsewhere, refused } = await startCheckingServers(identityProvider);
  const named = [...at.flags(identityProvider), "--offline-access"];
  expect((await at.run(["login", ...named])).code).toBe(0);

  // Binary on standard output, and in a file that nobody else may read.
  const child = spawn(process.execPath, [command, "fetch", ...named, `${origin}/binary`], {
    env: {
      PATH: process.env["PATH"],
      HOME: at.home,
      XDG_STATE_HOME: join(at.home, ".local", "state"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const file = join(at.home, "answer");
  const [printed, written] = await Promise.all([
    buffer(child.stdout),
    at.run(["fetch", ...named, `${origin}/binary`, "-o", file]),
  ]);
  expect([printed, written.stdout, written.code]).toEqual([binary, "", 0]);
  expect([readFileSync(file), statSync(file).mode & 0o777]).toEqual([binary, 0o600]);

  // A status says nothing about the exit status, unless that is asked for.
  const [missing, failing] = await Promise.all([
    at.run(["fetch", ...named, `${origin}/missing`]),
    at.run(["fetch", ...named, `${origin}/missing`, "--fail", "-o", join(at.home, "none")]),
  ]);
  expect([missing.code, missing.stdout]).toEqual([0, "not here"]);
  expect(missing.stderr).toContain("answered with status 404 Not Found.");
  expect([failing.code, failing.stdout]).toEqual([1, ""]);
  expect(failing.stderr).toContain("[http_status: 404]");
  expect(() => statSync(join(at.home, "none"))).toThrow("ENOENT");

  // Elsewhere the token is not known.
  const away = await at.run(["fetch", ...named, `${origin}/away`]);
  expect([away.code, away.stdout, logElsewhere.length]).toEqual([0, "elsewhere", 1]);
  expect(JSON.stringify(logElsewhere)).not.toContain("Bearer");

  // A token that the server refuses is renewed, and the body is sent once more.
  identityProvider.resetRequests();
  refused.add(log.at(-1)?.authorization ?? "");
  const headers = join(at.home, "headers");
  writeFileSync(headers, "X-Key: secret\n\nAccept: text/plain\n");
  const renewed = await at.run([
    "fetch",
    ...named,
    `${origin}/echo`,
    "-H",
    `@${headers}`,
    "-d",
    "x",
  ]);
  expect([renewed.code, renewed.stdout, identityProvider.requests().token]).toEqual([
    0,
    "hello\n",
    1,
  ]);
  expect(
    log.slice(-2).map(({ body, headers: sent }) => [body, sent["x-key"], sent.accept]),
  ).toEqual([
    ["x", "secret", "text/plain"],
    ["x", "secret", "text/plain"],
  ]);

  // No token for another server than the sign-in's, and nothing is asked for that cannot be had.
  const count = log.length;
  const bound = await at.run(["fetch", `${origin}/echo`, "--server", "https://data.example.com"]);
  expect([bound.code, bound.stderr.includes("[invalid_option]")]).toEqual([2, true]);
  const nobody = await at.run([
    "fetch",
    ...named,
    `${origin}/echo`,
    "--login-hint",
    "bob",
    "--no-interactive",
  ]);
  expect([nobody.code, nobody.stdout, log.length]).toEqual([3, "", count]);
});

test("a sign-in that was made for the address of a server is the one that its requests have", async () => {
  const at = await desk();
  const { server } = await startProtectedResource(await provider());
  const browser = ["--callback-port", "0", "--browser-command", at.browser];
  expect((await at.run(["login", "--server", server.origin, ...browser])).code).toBe(0);
  const { code, stderr } = await at.run(["fetch", `${server.origin}/any`, "--no-interactive"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("answered with status 404")]);
  expect(server.requests.at(-1)?.headers["authorization"]).toMatch(/^Bearer /);
  expect(at.opened()).toHaveLength(1);
});
