// `latchkey trust` by the built program: what is remembered of servers, listed, accepted and forgotten.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { createProcessLock } from "../../src/lock/protocol.ts";
import { createFilePins } from "../../src/trust/file-pins.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { desk, provider, type Desk } from "./harness.ts";

function folderOf(at: Desk): string {
  return join(at.home, ".local/state/latchkey");
}

async function remember(at: Desk, ...servers: readonly string[]): Promise<void> {
  const folder = folderOf(at);
  const pins = createFilePins({
    folder,
    lock: createProcessLock({ folder, clock: systemClock, randomBytes }),
    clock: systemClock,
    randomBytes,
    maxAnswerSeconds: 1,
  });
  for (const server of servers) {
    await pins.replace(server, undefined, {
      issuer: "https://login.example.net",
      clientId: "graph-cli",
      audience: undefined,
      scopes: ["openid"],
      acceptedBy: "person",
    });
  }
}

test("servers are listed and forgotten, and survive a logout", async () => {
  const at = await desk();
  await remember(at, "https://data.example.com", "https://api.example.com/v1");
  expect((await at.run(["logout", "--all"])).code).toBe(0);
  const listed = await at.run(["trust", "list", "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    {
      server: expect.stringMatching(/^https:\/\/(data|api)\./),
      issuer: "https://login.example.net",
      clientId: "graph-cli",
      audience: null,
      scopes: ["openid"],
      acceptedBy: "person",
    },
    { server: expect.any(String) },
  ]);
  const forgotten = await at.run(["trust", "forget", "data.example.com"]);
  expect([forgotten.code, forgotten.stdout]).toEqual([0, ""]);
  expect(forgotten.stderr).toMatch(/^Forgotten: https:\/\/data\.example\.com\. /);
  expect((await at.run(["trust", "list"])).stdout).toMatch(/^https:\/\/api\.example\.com\/v1\n/);
  const unknown = await at.run(["trust", "forget", "example.com"]);
  expect([unknown.code, unknown.stderr]).toEqual([
    0,
    "Nothing is remembered of example.com. Known: latchkey trust list\n",
  ]);
  await at.run(["trust", "forget", "https://API.example.com/v1"]);
  expect(await at.run(["trust", "list"])).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "No server is remembered.\n",
  });
});

test("a file that cannot be understood is said to be, and left alone", async () => {
  const at = await desk();
  mkdirSync(folderOf(at), { recursive: true, mode: 0o700 });
  const file = join(folderOf(at), "servers.json");
  writeFileSync(file, "not JSON", { mode: 0o600 });
  const { code, stdout, stderr } = await at.run(["trust", "forget", "data.example.com"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/cannot be used: it is not JSON\. .*\[cache_unreadable\]\n$/s);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain(`rm ${file}`);
  expect(existsSync(file)).toBe(true);
});

/** A server on this machine that says which provider to use, and counts who asks. */
async function namingServer(said: Record<string, unknown>): Promise<{
  readonly origin: string;
  readonly says: (changes: Record<string, unknown>) => void;
}> {
  let answer = said;
  const listener = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ resource: origin, ...answer }));
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  const origin = `http://127.0.0.1:${String((listener.address() as AddressInfo).port)}`;
  return {
    origin,
    says: (changes) => {
      answer = { ...answer, ...changes };
    },
  };
}

test("without a terminal only what was said in so many words is accepted [D08, D09]", async () => {
  const at = await desk();
  const issuer = "https://login.example.net";
  const { origin, says } = await namingServer({
    authorization_servers: [issuer],
    client_id: "graph-cli",
    scopes_supported: ["openid", "data"],
  });
  const accept = ["trust", "accept", origin];
  const unsaid = await at.run(accept);
  expect([unsaid.code, unsaid.stdout]).toEqual([3, ""]);
  const told = unsaid.stderr.replaceAll(/\s+/g, " ");
  expect(told).toContain("It is asked on a terminal alone. Nothing was accepted.");
  expect(told).toContain(
    `latchkey trust accept ${origin} --yes --issuer ${issuer} --client-id graph-cli --scopes 'openid data'`,
  );
  const words = ["--yes", "--issuer", issuer, "--client-id", "graph-cli", "--scopes", "data"];
  // What the server says by now, and the flags do not.
  says({ scopes_supported: ["openid", "data", "admin"] });
  const other = await at.run([...accept, ...words]);
  expect(other.code).toBe(3);
  expect(other.stderr.replaceAll(/\s+/g, " ")).toContain("That is not what --scopes says.");
  expect((await at.run(["trust", "list"])).stdout).toBe("");
  says({ scopes_supported: ["openid", "data"] });
  const accepted = await at.run([...accept, ...words]);
  expect([accepted.code, accepted.stdout]).toEqual([0, ""]);
  expect(accepted.stderr).toMatch(/^Accepted: http:\/\/127\.0\.0\.1:\d+ signs you in at /);
  expect((await at.run(accept)).stderr).toMatch(
    /says what was accepted before\. Nothing was changed\.\n$/,
  );
});

test.skipIf(noTerminal !== undefined)(
  "on a terminal a change is shown beside what was accepted, and no is the default [D09]",
  async () => {
    const at = await desk();
    const { origin } = await namingServer({
      authorization_servers: ["https://login.example.org"],
      client_id: "graph-cli",
      scopes_supported: ["openid"],
    });
    await remember(at, origin);
    const line = latchkeyLine(["trust", "accept", origin]);
    const refused = startOnTerminal(line, { home: at.home });
    await refused.until(/Accept the change\? \[y\/N\] $/);
    refused.child.stdin?.write("\r");
    await refused.until(/\[server_config_changed: declined\]\s+status=3/);
    expect(refused.output()).toMatch(
      /issuer +before +https:\/\/login\.example\.net\s+now +https:\/\/login\.example\.org\s/,
    );
    const accepted = startOnTerminal(line, { home: at.home });
    await accepted.until(/Accept the change\? \[y\/N\] $/);
    accepted.child.stdin?.write("y\r");
    await accepted.until(/Accepted: [^]*status=0/);
    expect((await at.run(["trust", "list"])).stdout).toContain("https://login.example.org");
  },
);

test.skipIf(noTerminal !== undefined)(
  "on a terminal a sign-in asks about the server first, and the browser opens after the answer [D08]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const { origin } = await namingServer({
      authorization_servers: [identityProvider.issuer],
      client_id: identityProvider.clients.public.clientId,
      scopes_supported: ["openid"],
    });
    const words = ["login", "--server", origin, "--trust-server", "ask", "--callback-port", "0"];
    const env = { BROWSER: at.browser };
    const terminal = startOnTerminal(latchkeyLine(words), { home: at.home, env });
    await terminal.until(/You have not used this server before\.[^]*Continue\? \[y\/N\] $/);
    expect(identityProvider.requests()).toMatchObject({ total: 0, authorization: 0 });
    terminal.child.stdin?.write("y\r");
    await terminal.until(/Opening your browser[^]*Signed in to [^]*status=0/);
    expect(JSON.parse((await at.run(["trust", "list", "--json"])).stdout)).toMatchObject([
      { server: origin, issuer: identityProvider.issuer, acceptedBy: "person" },
    ]);
  },
);
