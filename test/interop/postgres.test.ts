// `latchkey proxy postgres://`: real clients that know nothing of tokens, and a PostgreSQL 18 that takes nothing else.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { desk, type Desk } from "../e2e/harness.ts";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import type { RunningCommand } from "../support/command-line.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { startPostgres18, whyNoPostgres18 } from "../support/postgres-oauth.ts";

const run = promisify(execFile);
const why = whyNoPostgres18();

let authority: CertificateAuthority;
let provider: IdentityProvider;
let server: Awaited<ReturnType<typeof startPostgres18>>;

// The first run installs it.
beforeAll(async () => {
  if (why !== undefined) return;
  authority = await makeCertificateAuthority();
  provider = await startIdentityProvider();
  server = await startPostgres18(provider, authority);
  const roles = "create role alice login; grant pg_signal_backend to alice";
  await run(server.psql, ["-c", roles], {
    env: { ...process.env, ...server.environment },
  });
}, 600_000);
afterAll(async () => {
  await server?.close();
  await provider?.close();
  await authority?.dispose();
});

/** A proxy that has signed in, and what it says of where it listens. */
async function startProxy(
  at: Desk,
  ...more: string[]
): Promise<{ proxy: RunningCommand; address: string }> {
  const url = `postgres://alice@127.0.0.1:${server.port}/postgres`;
  const trusted = ["--ca-cert-path", authority.caPath, "--offline-access"];
  const proxy = at.start(["proxy", url, ...at.flags(provider), ...trusted, ...more]);
  onTestFinished(() => proxy.kill("SIGTERM"));
  const [, address = ""] = await proxy.waitFor(/^(.+)\n/, "stdout");
  return { proxy, address };
}

/** What psql prints, or what it says in its error. */
async function psql(
  address: string,
  query: string,
  env: Record<string, string> = {},
): Promise<string> {
  const words = ["--no-psqlrc", "--no-password", "-Atc", query, address];
  return run(server.psql, words, { env: { PATH: process.env["PATH"], ...env } }).then(
    ({ stdout }) => stdout.trim(),
    (error: unknown) => (error as { stderr: string }).stderr.trim(),
  );
}

/** The token that is in the cache. */
async function cachedToken(at: Desk): Promise<string> {
  const flags = [...at.flags(provider), "--ca-cert-path", authority.caPath, "--offline-access"];
  return (await at.run(["token", ...flags, "--no-interactive"])).stdout.trim();
}

describe.skipIf(why !== undefined)(`PostgreSQL 18${why === undefined ? "" : ` (${why})`}`, () => {
  test("psql and pg are signed in through a socket, a token that is refused is renewed once, and a query is cancelled", async () => {
    const at = await desk();
    provider.resetRequests();
    const { proxy, address } = await startProxy(at);
    const [, folder = "", port = ""] = /^host=(\S+) port=(\d+)/.exec(address) ?? [];
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await psql(address, "select current_user")).toBe("alice");

    const client = new Client({
      host: folder,
      port: Number(port),
      user: "alice",
      database: "postgres",
    });
    await client.connect();
    const { rows } = await client.query("select current_user as name, $1::int + 1 as next", [41]);
    expect(rows).toEqual([{ name: "alice", next: 42 }]);
    await client.end();
    expect([at.opened().length, provider.requests().token]).toEqual([1, 1]);

    const refused = await cachedToken(at);
    provider.tamper({
      path: "userinfo",
      respond: async ({ headers }, genuine) =>
        headers["authorization"] === `Bearer ${refused}` ? { status: 401 } : genuine(),
    });
    const together = await Promise.all(Array.from({ length: 4 }, () => psql(address, "select 1")));
    expect(together).toEqual(["1", "1", "1", "1"]);
    expect([at.opened().length, provider.requests().token]).toEqual([1, 2]);
    expect(await cachedToken(at)).not.toBe(refused);

    const sleeper = spawn(server.psql, ["--no-psqlrc", "-Atc", "select pg_sleep(60)", address], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    sleeper.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const active =
      "select count(*) from pg_stat_activity where query like '%pg_sleep(60)' and state = 'active'";
    while ((await psql(address, active)) !== "1");
    sleeper.kill("SIGINT");
    await once(sleeper, "close");
    expect(said).toContain("canceling statement due to user request");

    const leaves = /eyJ|Bearer/;
    proxy.kill("SIGTERM");
    const { stderr } = await proxy.finished;
    expect(stderr).not.toMatch(leaves);
    expect(stderr).not.toContain(refused);
  });

  test("over a port its secret is the password, and nobody gets in without", async () => {
    const at = await desk();
    const { proxy, address } = await startProxy(at, "--listen", "127.0.0.1:0");
    const [, file = ""] = await proxy.waitFor(/The password is in (\S+)\./);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    const secret = readFileSync(file, "utf8").trim();
    expect(await psql(address, "select 1", { PGPASSWORD: secret })).toBe("1");
    expect(await psql(address, "select 1", { PGPASSWORD: "wrong" })).toContain(
      "wants its secret as the password",
    );
    expect(await psql(address, "select 1")).toContain("no password supplied");
  });

  test("no token goes to a server whose certificate is not trusted, and none is renewed for one that refuses all", async () => {
    const at = await desk();
    const url = `postgres://alice@127.0.0.1:${server.port}/postgres`;
    const blind = at.start(["proxy", url, ...at.flags(provider)]);
    const [, address = ""] = await blind.waitFor(/^(.+)\n/, "stdout");
    const came = server.bytes();
    expect(await psql(address, "select 1")).toMatch(/\[tls: /);
    expect(server.bytes()).toBe(came);
    blind.kill("SIGTERM");
    await blind.finished;

    const other = await desk();
    const { address: trusted } = await startProxy(other);
    const undo = provider.tamper({ path: "userinfo", respond: async () => ({ status: 401 }) });
    const before = provider.requests().token;
    for (let call = 0; call < 3; call += 1) {
      expect(await psql(trusted, "select 1")).toContain("OAuth bearer authentication failed");
    }
    expect(provider.requests().token).toBe(before + 1);
    undo();
    // A role that there is not is the server's own refusal.
    expect(await psql(trusted.replace("user=alice", "user=nobody"), "select 1")).toContain(
      '"nobody"',
    );
  });
});
