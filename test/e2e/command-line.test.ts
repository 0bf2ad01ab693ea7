// The built command line against a real provider: what a person and a script see.

import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { desk, provider } from "./harness.ts";

test("login, token, token without a provider, status, whoami, logout", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);

  const login = await at.run(["login", ...flags]);
  expect([login.code, login.stdout]).toEqual([0, ""]);
  expect(login.stderr).toMatch(/Signed in to 127\.0\.0\.1:\d+ as Alice Example\./);

  identityProvider.resetRequests();
  const first = await at.run(["token", ...flags]);
  const second = await at.run(["token", ...flags]);
  expect([first.code, first.stderr, second.stdout]).toEqual([0, "", first.stdout]);
  expect(first.stdout).toMatch(/^[A-Za-z0-9._~+/-]+=*\n$/);
  expect(identityProvider.requests().total).toBe(0);
  const token = first.stdout.trim();

  const json = JSON.parse((await at.run(["token", "--json", ...flags])).stdout);
  expect(json).toMatchObject({ token, tokenType: "Bearer", source: "cache" });
  expect((await at.run(["token", "--header", ...flags])).stdout).toBe(
    `Authorization: Bearer ${token}\n`,
  );

  const status = await at.run(["status", "--json"]);
  expect(JSON.parse(status.stdout)).toEqual([
    expect.objectContaining({
      issuer: identityProvider.issuer,
      subject: "alice",
      refreshable: true,
      storeLevel: "file-permissions",
    }),
  ]);
  const shown = await at.run(["status"]);
  const who = await at.run(["whoami", ...flags]);
  expect(who.stdout).toContain("alice@example.com");
  expectNoSecrets(
    [status, shown, who].map((each) => each.stdout + each.stderr).join("\n"),
    secretsOf([identityProvider]),
  );
  // The address is for the person to open; state, nonce and challenge in it are of use only with the verifier.
  const [address = ""] = /http:\S+\/auth\?\S+/.exec(login.stderr) ?? [];
  expectNoSecrets(login.stderr.replace(address, ""), secretsOf([identityProvider]));

  const logout = await at.run(["logout", ...flags]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  const gone = await at.run(["token", "--no-interactive", ...flags]);
  expect([gone.code, gone.stdout]).toEqual([3, ""]);
  expect(gone.stderr).toMatch(/\[login_required: no_token\]\n$/);
  expect(at.opened()).toHaveLength(1);
});

test("a person whose name only the userinfo endpoint knows is called by it everywhere, asked once [F-U7]", async () => {
  const at = await desk();
  const identityProvider = await provider({ namesInIdToken: false });
  const flags = at.flags(identityProvider);
  const login = await at.run(["login", ...flags]);
  expect(login.stderr).toMatch(/Signed in to 127\.0\.0\.1:\d+ as Alice Example\./);
  expect(identityProvider.requests().userinfo).toBe(1);
  expect((await at.run(["status"])).stdout).toMatch(/^ +as +Alice Example$/m);
  expect((await at.run(["whoami", ...flags])).stdout).toMatch(/^name +Alice Example$/m);
  expect((await at.run(["logout", ...flags])).stderr).toContain("as Alice Example.");
  expect(identityProvider.requests().userinfo).toBe(1);
});

test("token: the second call makes no request, with the provider stopped", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const first = await at.run(["token", ...flags]);
  expect([first.code, at.opened().length]).toEqual([0, 1]);
  await identityProvider.close();
  const second = await at.run(["token", ...flags]);
  expect([second.code, second.stdout, second.stderr]).toEqual([0, first.stdout, ""]);
});

test("an expired token is refreshed in silence", async () => {
  const at = await desk();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: 1 });
  const flags = at.flags(identityProvider);
  const first = await at.run(["token", ...flags]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  identityProvider.resetRequests();
  const second = await at.run(["token", ...flags]);
  expect([second.code, second.stderr]).toEqual([0, ""]);
  expect(second.stdout).not.toBe(first.stdout);
  // Of an http: issuer nothing is kept, so whoever renews asks for the document and the keys too.
  expect(identityProvider.requests()).toMatchObject({ token: 1, discovery: 1, jwks: 1, total: 3 });
});

test("a profile, the environment and flags name the same sign-in, and the secret never stands in the arguments", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  mkdirSync(join(at.home, ".config/latchkey"), { recursive: true, mode: 0o700 });
  writeFileSync(join(at.home, "secret"), `${clientSecret}\n`, { mode: 0o600 });
  writeFileSync(
    join(at.home, ".config/latchkey/config.toml"),
    `[profile.data]\nissuer = "${identityProvider.issuer}"\nclient-id = "${clientId}"\ncallback-port = 0\nclient-secret-file = "${at.home}/secret"\nbrowser-command = '''${at.browser}'''\n`,
    { mode: 0o600 },
  );
  const byProfile = await at.run(["token", "--profile", "data"]);
  expect([byProfile.code, byProfile.stderr.includes("[")]).toEqual([0, false]);
  const byEnvironment = await at.run(["token"], {
    env: {
      LATCHKEY_ISSUER: identityProvider.issuer,
      LATCHKEY_CLIENT_ID: clientId,
      LATCHKEY_CLIENT_SECRET: clientSecret,
    },
  });
  expect(byEnvironment.stdout).toBe(byProfile.stdout);
  const byFlag = await at.run([
    "token",
    "--issuer",
    identityProvider.issuer,
    "--client-id",
    clientId,
  ]);
  expect(byFlag.stdout).toBe(byProfile.stdout);
  const asArgument = await at.run(["token", "--client-secret", clientSecret]);
  expect([asArgument.code, asArgument.stderr.includes(clientSecret)]).toEqual([2, false]);
});

const wrong: readonly [string, string[], number, string][] = [
  ["a bad issuer URL", ["token", "--issuer", "id.example.com"], 2, "invalid_option"],
  [
    "http beyond loopback",
    ["token", "--issuer", "http://id.example.com", "--client-id", "x"],
    2,
    "insecure_url",
  ],
  ["an unknown flag", ["token", "--isuer", "x"], 2, "invalid_option"],
  ["an unknown command", ["tokn"], 2, "invalid_option"],
  ["a port that is none", ["token", "--callback-port", "http"], 2, "invalid_option"],
  ["no issuer", ["token", "--client-id", "x"], 2, "missing_issuer"],
  ["no client", ["token", "--issuer", "http://127.0.0.1:9"], 2, "missing_client_id"],
  [
    "a provider that is down",
    ["token", "--issuer", "http://127.0.0.1:9", "--client-id", "x", "--no-open-browser"],
    6,
    "network",
  ],
  ["an unknown profile", ["token", "--profile", "nope"], 2, "invalid_option"],
  [
    "a missing CA file",
    [
      "token",
      "--issuer",
      "https://127.0.0.1:9",
      "--client-id",
      "x",
      "--ca-cert-path",
      "nope.pem",
      "--no-open-browser",
    ],
    2,
    "ca_bundle_invalid",
  ],
];

test.each(wrong)(
  "%s: says what to do, and ends with its code",
  async (_what, parameters, exitCode, code) => {
    const at = await desk();
    const run = await at.run(parameters);
    expect([run.code, run.stdout]).toEqual([exitCode, ""]);
    expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(run.stderr).toMatch(new RegExp(`\\[${code}(: \\w+)?\\]\\n$`));
    expect(readdirSync(at.home)).not.toContain("opened.log");
  },
);

test("a person who refuses: exit 4, and nothing lost", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const before = await at.run(["token", ...flags]);
  const refused = await at.run(["login", ...flags, "--browser-command", at.refusingBrowser]);
  expect([refused.code, refused.stdout]).toEqual([4, ""]);
  expect(refused.stderr).toMatch(/\[access_denied\]\n$/);
  expect((await at.run(["token", ...flags])).stdout).toBe(before.stdout);
});

test("nobody comes back: exit 5", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const run = await at.run([
    "token",
    ...at.flags(identityProvider),
    "--no-open-browser",
    "--callback-timeout-seconds",
    "0.3",
  ]);
  expect(run.code).toBe(5);
  expect(run.stderr).toMatch(/\[callback_timeout\]\n$/);
  // The address stands whole and alone on its line, without escape codes.
  expect(run.stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\?\S+$/m);
  expect(run.stderr).not.toContain("\u001b");
});

test("a taken port: said before any browser opens [L03]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  const run = await at.run([
    "login",
    ...at.flags(identityProvider),
    "--callback-port",
    String(port),
  ]);
  expect([run.code, at.opened()]).toEqual([1, []]);
  expect(run.stderr).toMatch(/--callback-port.*\[callback_port_in_use\]\n$/);
});

test("a damaged cache file is set aside, said so, and the sign-in goes on [C08]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const folder = join(at.home, ".local/state/latchkey");
  const [file = ""] = readdirSync(folder).filter((name) => /^[0-9a-f]{32}\.json$/.test(name));
  writeFileSync(join(folder, file), '{"latchkey":1,"rec', { mode: 0o600 });
  const run = await at.run(["token", ...flags]);
  expect([run.code, run.stdout === ""]).toEqual([0, false]);
  expect(run.stderr).toContain("damaged");
  expect(readdirSync(folder).some((name) => name.includes("damaged"))).toBe(true);
});

const noMounts =
  process.platform === "linux" && process.getuid?.() === 0
    ? false
    : "needs root on Linux for a tiny file system";

test.skipIf(noMounts)(
  `a full disk: login fails and says so, token still hands out the token, nothing lost [C09]${noMounts ? ` (${noMounts})` : ""}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const flags = at.flags(identityProvider);
    const before = await at.run(["token", ...flags]);
    const folder = join(at.home, ".local/state/latchkey");
    const kept = readdirSync(folder).filter(
      (name) => /^[0-9a-f]{32}\.json$/.test(name) || name === "lock-id",
    );
    const contents = kept.map((name) => [name, readFileSync(join(folder, name))] as const);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k,mode=700", "none", folder]);
    onTestFinished(() => void execFileSync("umount", [folder]));
    for (const [name, bytes] of contents) writeFileSync(join(folder, name), bytes, { mode: 0o600 });
    fillUp(join(folder, "filler"));

    const login = await at.run(["login", ...flags]);
    expect([login.code, login.stdout]).toEqual([1, ""]);
    expect(login.stderr).toMatch(/full.*\[cache_write_failed(: \w+)?\]\n$/);
    const token = await at.run(["token", "--force-refresh", ...flags]);
    expect([token.code, token.stdout === before.stdout, token.stdout === ""]).toEqual([
      0,
      false,
      false,
    ]);
    expect(token.stderr).toContain("could not be stored");
    for (const [name, bytes] of contents) expect(readFileSync(join(folder, name))).toEqual(bytes);
    // Of an http: issuer no document is kept; no temporary file is left.
    const left = readdirSync(folder, { recursive: true, encoding: "utf8" });
    expect(left.filter((name) => !name.startsWith("locks")).toSorted()).toEqual(
      [...kept, "filler"].toSorted(),
    );
    // Of the locks there are folders, and the number of the last holder in each.
    const ofLocks = left.filter((name) => name.startsWith("locks"));
    expect(ofLocks.filter((name) => !/^locks(\/[0-9a-f]{32}(\/\d+)?)?$/.test(name))).toEqual([]);
  },
);

function fillUp(path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    for (;;) writeSync(file, Buffer.alloc(1024));
  } catch {
    // Full, which was the wish.
  } finally {
    closeSync(file);
  }
}

test("a cache that others can read is neither used nor changed [C02]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const folder = join(at.home, ".local/state/latchkey");
  chmodSync(folder, 0o755);
  const run = await at.run(["token", ...flags]);
  expect([run.code, run.stdout]).toEqual([1, ""]);
  expect(run.stderr).toMatch(/chmod 700 .*\[cache_insecure\]\n$/);
});

test("Ctrl-C ends with 130, SIGTERM with 143, the port free and no lock left [L13]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = [...at.flags(identityProvider), "--no-open-browser"];
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const running = at.start(["token", ...flags]);
    await running.waitFor(/\/auth\?/);
    running.kill(signal);
    const ended = await running.finished;
    expect([ended.code, ended.signal, ended.stdout]).toEqual([code, null, ""]);
  }
  expect((await at.run(["token", ...at.flags(identityProvider)])).code).toBe(0);
});

test.each(["true", "1"])(
  "under CI=%s without a terminal nothing is asked [R13] [F-U6]",
  async (CI) => {
    const at = await desk();
    const identityProvider = await provider();
    const run = await at.run(["token", ...at.flags(identityProvider)], { env: { CI } });
    expect([run.code, identityProvider.requests().total]).toEqual([3, 0]);
    expect(run.stderr).toMatch(/\[login_required: no_token\]\n$/);
    expect(existsSync(join(at.home, "opened.log"))).toBe(false);
  },
);
