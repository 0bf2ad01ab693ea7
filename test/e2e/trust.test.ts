// `latchkey trust` by the built program: what is remembered of servers, listed and forgotten.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { createProcessLock } from "../../src/lock/protocol.ts";
import { createFilePins } from "../../src/trust/file-pins.ts";
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
    longestAnswerSeconds: 1,
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
  expect((await at.run(["logout", "--all", ...at.flags(await provider())])).code).toBe(0);
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
