// What commands do with a server's address: the same sign-in by flag, variable and profile, and all that is said of it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { HostileServer } from "../support/hostile-server.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { startProtectedResource } from "../support/protected-resource.ts";
import { desk, provider, type Desk } from "./harness.ts";

interface Place {
  readonly at: Desk;
  readonly identityProvider: IdentityProvider;
  readonly server: HostileServer;
  /** What a person has set of the browser; neither issuer nor client. */
  readonly env: Readonly<Record<string, string>>;
}

/** A server on this machine that names a provider and a client. */
async function place(members: Readonly<Record<string, unknown>> = {}): Promise<Place> {
  const identityProvider = await provider();
  const { server } = await startProtectedResource(identityProvider, members);
  const at = await desk();
  const env = { LATCHKEY_CALLBACK_PORT: "0", LATCHKEY_BROWSER_COMMAND: at.browser };
  return { at, identityProvider, server, env };
}

test("by flag, variable and profile: one sign-in, and no request from the second run on", async () => {
  const { at, identityProvider, server, env } = await place();
  mkdirSync(join(at.home, ".config/latchkey"), { recursive: true });
  const profiles = `[profile.work]\nserver = "${server.origin}"\n`;
  writeFileSync(join(at.home, ".config/latchkey/config.toml"), profiles);
  const first = await at.run(["token", "--server", server.origin], { env });
  expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^\S+\n$/)]);
  expect(server.requests.map(({ target }) => target)).toEqual([
    "/.well-known/oauth-protected-resource",
  ]);
  identityProvider.resetRequests();
  for (const [parameters, more] of [
    [["token", "--server", server.origin], {}],
    [["token"], { LATCHKEY_SERVER: server.origin }],
    [["token", "--profile", "work"], {}],
    // The only sign-in that is cached.
    [["token"], {}],
  ] as const) {
    const again = await at.run([...parameters], { env: { ...env, ...more } });
    expect(again).toMatchObject({ code: 0, stdout: first.stdout, stderr: "" });
  }
  expect([server.requests.length, identityProvider.requests().total]).toEqual([1, 0]);
});

test("status, whoami and logout by the server's address; what was said stays pinned", async () => {
  const { at, identityProvider, server, env } = await place();
  expect((await at.run(["login", "--server", server.origin], { env })).code).toBe(0);
  const listed = await at.run(["status", "--server", server.origin, "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { server: server.origin, issuer: identityProvider.issuer, subject: "alice" },
  ]);
  const shown = await at.run(["status"]);
  expect(shown.stdout).toMatch(new RegExp(`^ {2}server +${server.origin}$`, "m"));
  expect((await at.run(["status", "--server", "https://other.example.com", "--json"])).stdout).toBe(
    "[]\n",
  );
  expect((await at.run(["whoami", "--server", server.origin])).stdout).toContain("alice");
  const asks = server.requests.length;
  expect((await at.run(["logout", "--server", server.origin])).code).toBe(0);
  const nobody = await at.run(["whoami", "--server", server.origin]);
  expect([nobody.code, nobody.stderr.replaceAll(/\s+/g, " ")]).toEqual([
    3,
    expect.stringMatching(
      /^Nobody is signed in for http:\/\/127\.0\.0\.1:\d+ with these options\./,
    ),
  ]);
  expect(server.requests).toHaveLength(asks);
  const pins = JSON.parse((await at.run(["trust", "list", "--json"])).stdout);
  expect(pins).toMatchObject([{ server: server.origin, acceptedBy: "first-use" }]);
});

test("setup with a server asks for neither issuer nor client, and the profile names the server", async () => {
  const { at, server, env } = await place();
  const setup = await at.run(["setup", "--server", server.origin, "--profile", "work"], { env });
  expect([setup.code, setup.stdout]).toEqual([0, ""]);
  expect(setup.stderr).toMatch(/^At the provider, the client that the server names needs/m);
  expect(setup.stderr).toMatch(new RegExp(`^server = "${server.origin}"$`, "m"));
  expect(setup.stderr).not.toMatch(/^(?:issuer|client-id) = /m);
  const asks = server.requests.length;
  expect((await at.run(["token", "--profile", "work"], { env })).code).toBe(0);
  expect(server.requests).toHaveLength(asks);
});

test("logout --all --revoke tells the provider, and asks no server [F-D1]", async () => {
  const { at, identityProvider, server, env } = await place({ audience: "urn:demo:api" });
  const flags = ["--server", server.origin, "--use-server-audience"];
  expect((await at.run(["login", ...flags], { env })).code).toBe(0);
  const asks = server.requests.length;
  identityProvider.resetRequests();
  const { stdout } = await at.run(["status", "--json"]);
  expect(JSON.parse(stdout)).toHaveLength(1);
  expect((await at.run(["token"], { env })).code).toBe(0);
  const logout = await at.run(["logout", "--all", "--revoke"]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  expect(identityProvider.requests().revocation).toBeGreaterThan(0);
  expect(server.requests).toHaveLength(asks);
});

test("logout --all --revoke takes the sign-in of a server that only a program can ask [F-D1]", async () => {
  const { at, identityProvider, server, env } = await place();
  const path = join(at.home, "cache.json");
  const here = { ...env, LATCHKEY_CACHE_PATH: path };
  expect((await at.run(["login", "--server", server.origin], { env: here })).code).toBe(0);
  const inKey = (address: string): string => JSON.stringify(JSON.stringify(address)).slice(1, -1);
  const kept = readFileSync(path, "utf8");
  const asked = kept.replace(inKey(server.origin), inKey("quic://data.example.com:443"));
  expect(asked).not.toBe(kept);
  writeFileSync(path, asked, { mode: 0o600 });
  const logout = await at.run(["logout", "--all", "--revoke"], { env: here });
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  expect(identityProvider.requests().revocation).toBeGreaterThan(0);
});
