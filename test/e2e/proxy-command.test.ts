// `latchkey proxy` as people run it: the built command, a real provider, a server that checks its tokens, and curl.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startCheckingServers } from "../support/checking-server.ts";
import type { RunningCommand } from "../support/command-line.ts";
import { desk, provider } from "./harness.ts";

const run = promisify(execFile);

async function curl(...words: string[]): Promise<{ status: number; body: string }> {
  const form = ["--silent", "--max-time", "20", "--write-out", "\n%{http_code}"];
  const { stdout } = await run("curl", [...form, ...words]);
  const at = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

async function addressOf(proxy: RunningCommand): Promise<string> {
  return (await proxy.waitFor(/^(.+)\n/, "stdout"))[1] ?? "";
}

test("curl reaches the server through the socket, and a refused token is healed once", async () => {
  const at = await desk();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const { origin, log, refused } = await startCheckingServers(identityProvider);
  const named = [...at.flags(identityProvider), "--offline-access"];
  const first = at.start(["proxy", origin, ...named]);
  const path = await addressOf(first);
  expect([at.opened().length, statSync(path).mode & 0o777]).toEqual([1, 0o600]);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);

  const body = await curl("--unix-socket", path, "http://api.example/echo?a=b", "-d", "twice");
  expect(body).toEqual({ status: 200, body: "hello\n" });
  const sent = log.at(-1);
  expect([sent?.method, sent?.body, sent?.headers.host]).toEqual([
    "POST",
    "twice",
    new URL(origin).host,
  ]);
  refused.add(sent?.authorization ?? "");
  expect((await curl("--unix-socket", path, "http://x/echo", "-d", "again")).status).toBe(200);
  const [before, after] = log.slice(-2);
  expect([before?.authorization, before?.body, after?.body]).toEqual([
    sent?.authorization,
    "again",
    "again",
  ]);
  expect(after?.authorization).not.toBe(before?.authorization);

  // A second one is refused the place; the first one goes on, and removes its socket when it ends.
  const second = await at.run(["proxy", origin, ...named]);
  expect([second.code, second.stdout]).toEqual([2, ""]);
  expect(second.stderr).toContain("listens at");
  expect((await curl("--unix-socket", path, "http://x/echo")).status).toBe(200);
  first.kill("SIGTERM");
  expect((await first.finished).code).toBe(143);
  expect(existsSync(path)).toBe(false);

  // What a killed one leaves is replaced; on a port, the secret decides.
  const killed = at.start(["proxy", origin, ...named]);
  await addressOf(killed);
  killed.kill("SIGKILL");
  await killed.finished.catch(() => undefined);
  expect(existsSync(path)).toBe(true);
  const third = at.start(["proxy", origin, ...named]);
  expect(await addressOf(third)).toBe(path);
  expect((await curl("--unix-socket", path, "http://x/echo")).status).toBe(200);
  third.kill();
  await third.finished;

  const secretFile = join(at.home, "secret");
  const port = at.start([
    "proxy",
    origin,
    ...named,
    "--listen",
    "127.0.0.1:0",
    "--secret-file",
    secretFile,
  ]);
  const url = `${await addressOf(port)}/echo`;
  expect(statSync(secretFile).mode & 0o777).toBe(0o600);
  const secret = readFileSync(secretFile, "utf8");
  const seen = log.length;
  expect((await curl(url)).status).toBe(401);
  expect((await curl(url, "-u", `anyone:${secret}x`)).status).toBe(401);
  const page = ["-u", `anyone:${secret}`, "-H", "Origin: https://evil.example"];
  expect((await curl(url, ...page)).status).toBe(403);
  expect((await curl(url, "-u", `anyone:${secret}`, "-H", "Host: evil.example")).status).toBe(421);
  expect(log.length).toBe(seen);
  expect((await curl(url, "-u", `anyone:${secret}`)).status).toBe(200);
  expect(log.at(-1)?.authorization).toMatch(/^Bearer ey/);
  const said = port.stdout() + port.stderr();
  port.kill();
  await port.finished;
  expect(said).not.toContain(secret);
  expect(at.opened()).toHaveLength(1);
});
