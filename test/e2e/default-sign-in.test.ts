// Commands that do not name a sign-in: the default profile, the only one that is cached, and the client itself.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { desk, provider, type Desk } from "./harness.ts";

function configure(at: Desk, text: string): void {
  mkdirSync(join(at.home, ".config/latchkey"), { recursive: true, mode: 0o700 });
  writeFileSync(join(at.home, ".config/latchkey/config.toml"), text, { mode: 0o600 });
}

test("the only cached sign-in is the one that is meant by token, whoami, exec and logout [F-U4]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const scopes = ["--scopes", "openid email offline_access"];
  await at.run(["login", ...at.flags(identityProvider), ...scopes]);
  const named = await at.run(["token", ...at.flags(identityProvider), ...scopes]);
  expect(named.code).toBe(0);
  const token = await at.run(["token"]);
  expect([token.code, token.stdout, token.stderr]).toEqual([0, named.stdout, ""]);
  expect((await at.run(["whoami"])).stdout).toContain("alice");
  const ran = await at.run(["exec", "--", "sh", "-c", "echo $LATCHKEY_ACCESS_TOKEN"]);
  expect(ran.stdout).toBe(named.stdout);
  // Anything that names another one is not it.
  const other = await at.run(["token", "--audience", "api", "--no-interactive"]);
  expect([other.code, other.stdout]).toEqual([2, ""]);
  const logout = await at.run(["logout"]);
  expect([logout.code, logout.stderr]).toEqual([
    0,
    expect.stringMatching(/^Forgot the sign-in to .* as .*\./),
  ]);
  const none = await at.run(["token"]);
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringMatching(/: latchkey setup \[missing_issuer\]\n$/),
  ]);
});

test("several cached sign-ins are listed, and a login hint picks one [F-U4]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  configure(
    at,
    `[profile.work]\nissuer = "${identityProvider.issuer}"\nclient-id = "${identityProvider.clients.public.clientId}"\n`,
  );
  await at.run(["login", ...flags]);
  await at.run(["login", ...flags, "--login-hint", "alice"]);
  const several = await at.run(["token"]);
  expect([several.code, several.stdout]).toEqual([2, ""]);
  expect(several.stderr).toMatch(/^ {2}127\.0\.0\.1:\d+ as Alice Example\n {6}--profile work$/m);
  expect(several.stderr).toMatch(
    /^ {6}--issuer \S+ --client-id public-client --login-hint alice$/m,
  );
  expect(several.stderr).toMatch(/\[missing_issuer: several_sign_ins\]\n$/);
  expectNoSecrets(several.stderr, secretsOf([identityProvider]));
  const hinted = await at.run(["token", ...flags, "--login-hint", "alice"]);
  const other = await at.run(["token", "--profile", "work"]);
  expect(other.stdout).not.toBe(hinted.stdout);
  expect((await at.run(["token", "--login-hint", "alice"])).stdout).toBe(hinted.stdout);
  await at.run(["logout", "--login-hint", "alice"]);
  // Who signed in is a hint too, where no sign-in was made with it.
  expect((await at.run(["token", "--login-hint", "alice"])).stdout).toBe(other.stdout);
  expect((await at.run(["token", "--login-hint", "bob"])).code).toBe(2);
});

test("[profile.default] is what a command without a name means, cached or not [F-U4]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  configure(
    at,
    `[profile.default]\nissuer = "${identityProvider.issuer}"\nclient-id = "${identityProvider.clients.public.clientId}"\ncallback-port = 0\nbrowser-command = '''${at.browser}'''\n`,
  );
  const login = await at.run(["login"]);
  expect([login.code, login.stderr]).toEqual([0, expect.stringContaining("Signed in to")]);
  identityProvider.resetRequests();
  const token = await at.run(["token"]);
  expect([token.code, token.stderr]).toEqual([0, ""]);
  expect(token.stdout).toBe((await at.run(["token", "--profile", "default"])).stdout);
  expect(identityProvider.requests().total).toBe(0);
  await at.run(["logout"]);
  const gone = await at.run(["token", "--no-interactive"]);
  expect(gone.stderr).toMatch(/ Run: latchkey login \[login_required: no_token\]\n$/);
});

test.skipIf(noTerminal !== undefined)(
  "on a terminal it is said which sign-in is used [F-U4]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    await at.run(["login", ...at.flags(identityProvider)]);
    const terminal = startOnTerminal(latchkeyLine(["whoami"]), { home: at.home });
    await terminal.until(/status=0/);
    expect(terminal.output()).toMatch(
      /Using the only cached sign-in: 127\.0\.0\.1:\d+ as Alice Example\./,
    );
  },
);

test("--grant-type client_credentials: every command acts as the client itself [F-U1]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  writeFileSync(join(at.home, "secret"), clientSecret, { mode: 0o600 });
  configure(
    at,
    `[profile.job]\nissuer = "${identityProvider.issuer}"\nclient-id = "${clientId}"\ngrant-type = "client_credentials"\nclient-secret-file = "${at.home}/secret"\n`,
  );
  const run = (...words: string[]) => at.run(words, { env: { CI: "1" } });
  const first = await run("token", "--profile", "job");
  expect([first.code, first.stderr]).toEqual([0, ""]);
  expect(identityProvider.requests().authorization).toBe(0);
  identityProvider.resetRequests();

  const byFlag = ["--issuer", identityProvider.issuer, "--client-id", clientId];
  const again = await run("token", ...byFlag, "--grant-type", "client_credentials");
  expect(again.stdout).toBe(first.stdout);
  expect((await run("token")).stdout).toBe(first.stdout);
  const inEnvironment = { LATCHKEY_GRANT_TYPE: "client_credentials", CI: "1" };
  expect((await at.run(["token", ...byFlag], { env: inEnvironment })).stdout).toBe(first.stdout);
  // What is for a person alone is accepted, and means nothing.
  expect((await run("token", "--profile", "job", "--login-hint", "x")).stdout).toBe(first.stdout);
  const ran = await run(
    "exec",
    "--profile",
    "job",
    "--",
    "sh",
    "-c",
    "echo $LATCHKEY_ACCESS_TOKEN",
  );
  expect(ran.stdout).toBe(first.stdout);
  expect(identityProvider.requests().total).toBe(0);

  const who = await run("whoami", "--profile", "job", "--json");
  expect(JSON.parse(who.stdout)).toEqual({ iss: identityProvider.issuer, client_id: clientId });
  const status = await run("status");
  expect(status.stdout).toContain(`client ${clientId} itself`);
  // A person's sign-in with the same client is another one.
  expect((await run("token", ...byFlag, "--no-interactive")).code).toBe(3);

  const login = await run("login", "--profile", "job");
  expect([login.code, login.stdout]).toEqual([0, ""]);
  expect(login.stderr).toMatch(
    /^Signed in to 127\.0\.0\.1:\d+ as client \S+\. Renews by itself\.$/m,
  );
  const renewed = await run("token", "--profile", "job");
  expect(renewed.stdout).not.toBe(first.stdout);
  const logout = await run("logout", "--profile", "job", "--revoke");
  expect([logout.code, logout.stderr]).toEqual([
    0,
    expect.stringMatching(/^Forgot the sign-in to .* as client .*\. The provider has revoked it\./),
  ]);
  expectNoSecrets([first, who, status, login, logout].map((each) => each.stderr).join("\n"), [
    clientSecret,
  ]);
});

test("client credentials without a secret say where it belongs [F-U1]", async () => {
  const at = await desk();
  const words = ["--issuer", "http://127.0.0.1:9", "--client-id", "x"];
  const run = await at.run(["token", ...words, "--grant-type", "client_credentials"]);
  expect([run.code, run.stdout]).toEqual([2, ""]);
  expect(run.stderr).toMatch(
    /LATCHKEY_CLIENT_SECRET .*\[invalid_option: client_secret_missing\]\n$/,
  );
});

test("a variable that Latchkey does not know is warned of, cached token or not", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const run = await at.run(["token", ...flags], { env: { LATCHKEY_AUDIANCE: "api" } });
  expect([run.code, run.stderr]).toEqual([
    0,
    "Warning: Latchkey does not know the variable LATCHKEY_AUDIANCE, which is set. Did you mean LATCHKEY_AUDIENCE? [unknown_variable]\n",
  ]);
});

test("the forms of a token: a shell and curl read them back", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const token = (await at.run(["token", ...flags])).stdout.trim();
  const form = async (name: string): Promise<string> =>
    (await at.run(["token", ...flags, "--format", name])).stdout;
  expect(await form("bearer")).toBe(`Bearer ${token}\n`);
  const line = await form("env");
  const evaluated = execFileSync("sh", [
    "-c",
    `eval "$1"; echo "$LATCHKEY_ACCESS_TOKEN"`,
    "sh",
    line,
  ]);
  expect(String(evaluated)).toBe(`${token}\n`);
  expect(await form("curl")).toBe(`header = "Authorization: Bearer ${token}"\n`);
  const both = await at.run(["token", ...flags, "--format", "curl", "--json"]);
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("forms of one answer")]);
});
