// The client scenarios of MCP's own conformance suite about authorization, with `createFetch` as the whole of it.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { conformanceSuite } from "../support/mcp-conformance.ts";

const suite = await conformanceSuite();
const driver = fileURLToPath(new URL("mcp/client.mjs", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "latchkey-mcp-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The newest revision, and what it requires of a client's authorization: everything that the one before it does, too. */
const newest = "2026-07-28";
const required: readonly string[] = [
  "metadata-default",
  "metadata-var1",
  "metadata-var2",
  "metadata-var3",
  "basic-cimd",
  "scope-from-www-authenticate",
  "scope-from-scopes-supported",
  "scope-omitted-when-undefined",
  "scope-step-up",
  "scope-retry-limit",
  "token-endpoint-auth-basic",
  "token-endpoint-auth-post",
  "token-endpoint-auth-none",
  "pre-registration",
  "resource-mismatch",
  "offline-access-scope",
  "offline-access-not-supported",
  "authorization-server-migration",
  "iss-supported",
  "iss-not-advertised",
  "iss-supported-missing",
  "iss-wrong-issuer",
  "iss-unexpected",
  "iss-normalized",
  "metadata-issuer-mismatch",
];
/** What is left out, and why. */
const exceptions: Readonly<Record<string, string>> = {
  "2025-03-26-oauth-endpoint-fallback": "no metadata at all: addresses are never guessed",
  "client-credentials-jwt": "an extension; the client proves itself with a key",
  "client-credentials-basic":
    "an extension; the secret would go to an issuer that nobody set or accepted",
  "enterprise-managed-authorization": "an extension; a grant for assertions",
  "wif-jwt-bearer": "an extension; a grant for assertions",
  dpop: "an extension; tokens that are bound to a key",
  "dpop-nonce": "an extension; tokens that are bound to a key",
};

const rows = [
  ...required.map((name) => ({ revision: newest, name })),
  { revision: "2025-03-26", name: "2025-03-26-oauth-metadata-backcompat" },
];

interface Outcome {
  readonly status: number;
  /** What was not fulfilled, with the suite's own words. */
  readonly failed: readonly string[];
  readonly checks: number;
  readonly output: string;
}

function checksIn(folder: string) {
  const [latest = ""] = existsSync(folder) ? readdirSync(folder) : [];
  const path = join(folder, latest, "checks.json");
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as { id: string; status: string }[])
    : [];
}

async function run({ revision, name }: (typeof rows)[number]): Promise<Outcome> {
  const own = mkdtempSync(join(home, "row-"));
  const { status, output } = await suite.run(
    [
      "client",
      "--command",
      `"${suite.node}" "${driver}"`,
      "--scenario",
      `auth/${name}`,
      "--spec-version",
      revision,
      "--force",
      "-o",
      "results",
    ],
    { home: own, environment: { MCP_CLIENT: suite.client } },
  );
  const checks = checksIn(join(own, "results", "auth"));
  const failed = checks.filter((check) => ["FAILURE", "WARNING"].includes(check.status));
  const fulfilled = checks.filter((check) => check.status === "SUCCESS");
  return { status, failed: failed.map(({ id }) => id), checks: fulfilled.length, output };
}

/** So many at a time, from the first test on: each is a few processes that mostly wait for each other. */
const rowsAtOnce = 4;
const outcomes = new Map<string, Promise<Outcome>>();
function begin(): void {
  if (outcomes.size > 0) return;
  const begun: Promise<Outcome>[] = [];
  for (const [at, row] of rows.entries()) {
    const before: Promise<unknown> = begun[at - rowsAtOnce] ?? Promise.resolve();
    const outcome = before.then(() => run(row));
    begun.push(outcome);
    outcomes.set(`${row.revision} ${row.name}`, outcome);
  }
}

test("every scenario about authorization is run, or named with a reason", async () => {
  begin();
  const requirements = await suite.run(["list", "--requirements", newest], { home });
  const [listed = ""] = requirements.output.split("never scored");
  const found = [...listed.matchAll(/auth\/([\w-]+)/g)].map(([, name]) => name);
  expect(new Set(found)).toEqual(new Set(required));
  const { output } = await suite.run(["list", "--client"], { home });
  const known = new Set([...rows.map(({ name }) => name), ...Object.keys(exceptions)]);
  const all = [...output.matchAll(/auth\/([\w-]+)/g)].map(([, name = ""]) => name);
  expect(all.length).toBeGreaterThan(known.size - 1);
  expect(all.filter((name) => !known.has(name))).toEqual([]);
});

test.each(rows)("$revision $name", async ({ revision, name }) => {
  begin();
  const outcome = await outcomes.get(`${revision} ${name}`);
  expect({ ...outcome, output: outcome?.status === 0 ? "" : outcome?.output }).toEqual({
    status: 0,
    failed: [],
    checks: expect.any(Number) as unknown,
    output: "",
  });
  expect(outcome?.checks).toBeGreaterThan(0);
});
