// Many processes at Keycloak, which ends the whole session when a used refresh token comes back.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { keycloak } from "../conformance/providers/keycloak.ts";
import type { ProviderUnderTest } from "../conformance/provider-under-test.ts";
import { together } from "../e2e/harness.ts";
import { runLatchkey, scratchHome, startLatchkey } from "../support/command-line.ts";
import { expectWholeCache } from "../support/kill-rounds.ts";
import { openTokenGate, type TokenGate } from "../support/token-gate.ts";
import { endOf } from "../support/two-host-rounds.ts";

const waitingHook = fileURLToPath(new URL("../support/mark-waiting.mjs", import.meta.url));
const isMissing = keycloak.missing !== "";
// The first run downloads 177 MB.
const startMilliseconds = 600_000;
const testMilliseconds = 180_000;

let provider: ProviderUnderTest | undefined;

beforeAll(async () => {
  if (!isMissing) provider = await keycloak.launch({ tls: false });
}, startMilliseconds);
afterAll(async () => provider?.close());

interface Metadata {
  readonly token_endpoint: string;
  readonly userinfo_endpoint: string;
}

interface SignedIn {
  readonly home: string;
  readonly flags: readonly string[];
  readonly gate: TokenGate;
  readonly metadata: Metadata;
}

/** Lets the cached access token have ended a minute ago. */
function expire(home: string): void {
  const folder = join(home, ".local/state/latchkey");
  const name = readdirSync(folder).find((each) => /^[0-9a-f]{32}\.json$/.test(each));
  const path = join(folder, String(name));
  const file = JSON.parse(readFileSync(path, "utf8")) as {
    records: { accessToken: { issuedAt: number; expiresAt: number } }[];
  };
  const expiresAt = Math.floor(Date.now() / 1000) - 60;
  for (const { accessToken } of file.records) {
    Object.assign(accessToken, { issuedAt: expiresAt - 600, expiresAt });
  }
  // In place: its mode stays.
  writeFileSync(path, JSON.stringify(file));
}

/** A home folder with a sign-in whose access token has expired. */
async function signedIn(): Promise<SignedIn> {
  if (provider === undefined) throw new Error("Keycloak did not start");
  const scratch = await scratchHome();
  onTestFinished(() => scratch.remove());
  const { issuer, clients } = provider;
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  const metadata = (await answer.json()) as Metadata;
  const gate = await openTokenGate(metadata.token_endpoint);
  onTestFinished(() => gate.close());
  const flags = [
    "--issuer",
    issuer,
    "--client-id",
    clients.public.clientId,
    "--token-endpoint",
    gate.url,
    "--callback-port",
    "0",
    "--no-open-browser",
  ];
  const login = startLatchkey(["login", ...flags], { home: scratch.path, timeoutMs: 60_000 });
  const [url] = await login.waitFor(/http\S+\/auth\?\S+/);
  const visit = await provider.signIn(url, {});
  expect(visit.isBackAtClient).toBe(true);
  const result = await login.finished;
  expect([result.code, result.stderr]).toEqual([0, expect.any(String)]);
  expire(scratch.path);
  gate.reset();
  return { home: scratch.path, flags: [...flags, "--no-interactive"], gate, metadata };
}

async function isTaken(metadata: Metadata, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token.trim()}` };
  return (await fetch(metadata.userinfo_endpoint, { headers })).status === 200;
}

test.skipIf(isMissing)(
  "20 processes with an expired token: 1 token request, 20 good tokens, no prompt, alive after [R01][R02]",
  async () => {
    const { home, flags, gate, metadata } = await signedIn();
    const results = await together(20, () =>
      runLatchkey(["token", ...flags], { home, timeoutMs: 120_000 }),
    );
    expect(results.map(endOf)).toEqual(Array.from({ length: 20 }, () => "token"));
    expect(gate.count()).toBe(1);
    expect(results.filter(({ stderr }) => stderr !== "")).toEqual([]);
    for (const { stdout } of results) expect(await isTaken(metadata, stdout)).toBe(true);
    const later = await runLatchkey(["token", ...flags, "--force-refresh"], { home });
    expect(later.code).toBe(0);
    expect(await isTaken(metadata, later.stdout)).toBe(true);
    expect(gate.count()).toBe(2);
    expectWholeCache(home);
  },
  testMilliseconds,
);

test.skipIf(isMissing).each([
  ["request", ["token"]],
  // Keycloak has given the next refresh token away, and takes a second request for theft.
  ["answer", ["[login_required: refresh_lost]"]],
] as const)(
  "the one that renews is killed while its %s is on the way: 1 more request, and all 19 end alike [R04][R07]",
  async (kept, expected) => {
    const { home, flags, gate, metadata } = await signedIn();
    const isKept = gate.keep(kept);
    const holder = startLatchkey(["token", ...flags], { home, timeoutMs: 120_000 });
    await isKept;
    const marks = join(home, "waiting");
    mkdirSync(marks);
    const env = { NODE_OPTIONS: `--import=${waitingHook}`, MARK_WAITING: marks };
    const others = Array.from({ length: 19 }, () =>
      startLatchkey(["token", ...flags], { home, env, timeoutMs: 120_000, stdin: "" }),
    );
    await expect.poll(() => readdirSync(marks).length, { timeout: 60_000 }).toBe(19);
    holder.kill("SIGKILL");
    await holder.finished;
    const results = await Promise.all(others.map(({ finished }) => finished));
    expect([...new Set(results.map(endOf))]).toEqual(expected);
    expect(gate.count()).toBe(2);
    expectWholeCache(home);
    if (kept === "answer") return;
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    expect(await isTaken(metadata, results[0]?.stdout ?? "")).toBe(true);
    const later = await runLatchkey(["token", ...flags, "--force-refresh"], { home });
    expect(later.code).toBe(0);
  },
  testMilliseconds,
);
