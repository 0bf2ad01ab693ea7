// From nothing to the first token: `latchkey setup`, `latchkey token`. And what the wizard leaves as it is.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { desk, provider, type Desk } from "./harness.ts";

function fileOf(at: Desk): string {
  return join(at.home, ".config/latchkey/config.toml");
}

function configure(at: Desk, text: string): void {
  mkdirSync(dirname(fileOf(at)), { recursive: true, mode: 0o755 });
  writeFileSync(fileOf(at), text, { mode: 0o644 });
}

test.skipIf(noTerminal !== undefined)(
  "on a terminal: setup asks, shows, signs in and writes; then token needs no words [F-U4]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const { clientId } = identityProvider.clients.public;
    const env = { LATCHKEY_CALLBACK_PORT: "0", BROWSER: at.browser };
    const terminal = startOnTerminal(latchkeyLine(["setup"]), { home: at.home, env });
    const type = async (after: RegExp, text: string): Promise<void> => {
      await terminal.until(after);
      terminal.child.stdin?.write(`${text}\n`);
    };
    await type(/Issuer URL of the provider \S+ $/, "id.example.com");
    await type(/does not accept[^]*Issuer URL of the provider \S+ $/, identityProvider.issuer);
    await type(/Client id: $/, clientId);
    await type(/Press Enter to sign in\. $/, "");
    await terminal.until(/status=0/);
    const said = terminal.output().replaceAll("\u001b[2K", "\n").replaceAll("\r", "");
    expect(said).toMatch(/^127\.0\.0\.1:\d+ offers:\n\n {2}sign-in in a browser +yes, with PKCE/m);
    expect(said).toMatch(/^http:\/\/127\.0\.0\.1:PORT\/callback$/m);
    expect(said).toMatch(/^Signed in to 127\.0\.0\.1:\d+ as Alice Example\./m);
    expect(said).toMatch(/^Written to .*config\.toml:\n\n\[profile\.default\]\nissuer = /m);
    expect(said).toMatch(/^Next: latchkey token$/m);
    expect(statSync(fileOf(at)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(fileOf(at))).mode & 0o777).toBe(0o700);

    identityProvider.resetRequests();
    const token = await at.run(["token"]);
    expect([token.code, token.stderr]).toEqual([0, ""]);
    expect(token.stdout).toMatch(/^\S+\n$/);
    expect(identityProvider.requests().total).toBe(0);
  },
);

test("with flags alone: another profile beside what a person wrote, and nothing of theirs is lost", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const theirs = '# mine\n[profile.other] # keep\nissuer = "https://o.example"\n';
  configure(at, theirs);
  const flags = at.flags(identityProvider);
  const setup = await at.run(["setup", ...flags, "--profile", "work"]);
  expect([setup.code, setup.stdout]).toEqual([0, ""]);
  expect(setup.stderr).toMatch(/^Next: latchkey token --profile work$/m);
  const written = readFileSync(fileOf(at), "utf8");
  expect(written.startsWith(`${theirs}\n[profile.work]\n`)).toBe(true);
  expect(statSync(fileOf(at)).mode & 0o777).toBe(0o600);
  const token = await at.run(["token", "--profile", "work"]);
  expect([token.code, token.stderr]).toEqual([0, ""]);
  const status = await at.run(["status"]);
  expect(status.stdout).toMatch(/^ {2}profile +work$/m);
  expect(status.stdout).toMatch(/^ {2}next +latchkey token$/m);

  const opened = at.opened().length;
  const other = await at.run(["setup", ...flags, "--audience", "x", "--profile", "work"]);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringMatching(/--replace\. \[invalid_option: profile_exists\]\n$/),
  ]);
  expect([at.opened().length, readFileSync(fileOf(at), "utf8")]).toEqual([opened, written]);
  const more = [...flags, "--login-hint", "alice", "--profile", "work", "--replace"];
  expect((await at.run(["setup", ...more])).stderr).toMatch(/^Replaced in /m);
  expect(readFileSync(fileOf(at), "utf8").startsWith(theirs)).toBe(true);
  expect(readFileSync(fileOf(at), "utf8")).toContain('login-hint = "alice"');
});

test("where nobody can sign in, the profile is written and that is said; a client signs in itself", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const env = { CI: "1" };
  const setup = await at.run(["setup", ...at.flags(identityProvider)], { env });
  expect([setup.code, setup.stderr]).toEqual([
    0,
    expect.stringContaining("The sign-in was not tried"),
  ]);
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  writeFileSync(join(at.home, "secret"), clientSecret, { mode: 0o600 });
  const job = await at.run(
    [
      "setup",
      `--issuer=${identityProvider.issuer}`,
      `--client-id=${clientId}`,
      "--grant-type=client_credentials",
      "--client-secret-file=secret",
      "--profile=job",
    ],
    { env },
  );
  expect([job.code, job.stderr.includes("redirect URI")]).toEqual([0, false]);
  expect(readFileSync(fileOf(at), "utf8")).toContain(`client-secret-file = "${at.home}/secret"`);
  expect(job.stderr).not.toContain(clientSecret);
  expect((await at.run(["token", "--profile", "job"], { env })).code).toBe(0);
});

test("without a terminal, what is missing is named; a provider that is not there changes nothing", async () => {
  const at = await desk();
  const bare = await at.run(["setup"]);
  expect([bare.code, bare.stderr]).toEqual([2, expect.stringMatching(/\[missing_issuer\]\n$/)]);
  const client = await at.run(["setup", "--issuer", "http://127.0.0.1:9"]);
  expect([client.code, client.stderr]).toEqual([
    2,
    expect.stringMatching(/\[missing_client_id\]\n$/),
  ]);
  const gone = await at.run(["setup", "--issuer", "http://127.0.0.1:9", "--client-id", "x"]);
  expect([gone.code, existsSync(fileOf(at))]).toEqual([6, false]);
});

test("login --save-profile writes what the sign-in was made with", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const login = await at.run(["login", ...at.flags(identityProvider), "--save-profile", "work"]);
  expect([login.code, login.stdout]).toEqual([0, ""]);
  expect(login.stderr).toMatch(/^Written to .*\n\n\[profile\.work\]$/m);
  const token = await at.run(["token", "--profile", "work"]);
  expect([token.code, token.stderr]).toEqual([0, ""]);
  for (const words of [
    ["--save-profile", "../x"],
    ["--save-profile", "x", "--audience", "a\nb"],
  ]) {
    const wrong = await at.run(["login", "--profile", "work", ...words]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/\[invalid_option\]\n$/)]);
  }
});

test("a file that is a link, or that others may write, is not written", async () => {
  const at = await desk();
  const identityProvider = await provider();
  mkdirSync(dirname(fileOf(at)), { recursive: true, mode: 0o700 });
  const elsewhere = join(at.home, "dotfiles.toml");
  writeFileSync(elsewhere, "# mine\n", { mode: 0o600 });
  symlinkSync(elsewhere, fileOf(at));
  const linked = await at.run(["setup", ...at.flags(identityProvider)]);
  expect([linked.code, linked.stderr]).toEqual([
    2,
    expect.stringMatching(
      /\[profile\.default\] \| issuer = .*\[invalid_option: profile_not_writable\]\n$/,
    ),
  ]);
  expect(readFileSync(elsewhere, "utf8")).toBe("# mine\n");
  expect(at.opened()).toEqual([]);
  chmodSync(elsewhere, 0o666);
  expect((await at.run(["setup", ...at.flags(identityProvider)])).code).toBe(2);
});

test("a sign-in as somebody else says whom it replaces; one without a refresh token says so [F-U10]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const asBob = at.browser.replace(
    "LATCHKEY_TEST_BROWSER_DENY",
    "LATCHKEY_TEST_LOGIN=bob LATCHKEY_TEST_BROWSER_DENY",
  );
  const login = await at.run(["login", ...flags, "--browser-command", asBob]);
  expect(login.stderr).toMatch(/^This replaces the sign-in as Alice Example\. .*--login-hint/m);
  expect(login.stderr).not.toContain("refresh token");
  identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const { refresh_token: _absent, ...members } = JSON.parse(real.body);
      return { ...real, body: JSON.stringify(members) };
    },
  });
  const without = await at.run(["login", ...flags, "--login-hint", "alice"]);
  expect(without.stderr).toContain("The provider gave no refresh token; --offline-access asks for");
});
