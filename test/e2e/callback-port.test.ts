// Several sign-ins of one user on one fixed port, as operating-system processes of the built command line.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OidcAuth } from "../../src/index.ts";
import { holdPort } from "../support/callback-listener.ts";
import type { RunningCommand } from "../support/command-line.ts";
import { signIn } from "../support/scripted-browser.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { desk, provider, type Desk } from "./harness.ts";

const otherClient = {
  client_id: "other-client",
  application_type: "native",
  redirect_uris: ["http://127.0.0.1/callback"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
};

interface Scene {
  readonly at: Desk;
  readonly issuer: string;
  readonly port: number;
  /** Starts `latchkey login` with one of two profiles: another client each, one port. */
  readonly login: (profile: "one" | "other", more?: readonly string[]) => RunningCommand;
}

async function twoProfiles(timeoutSeconds = 20): Promise<Scene> {
  const at = await desk();
  const { issuer, clients } = await provider({ clients: [otherClient] });
  const holder = await holdPort("127.0.0.1");
  await holder.free();
  const { port } = holder;
  const profile = (name: string, clientId: string): string =>
    `[profile.${name}]\nissuer = "${issuer}"\nclient-id = "${clientId}"\ncallback-port = ${port}\ncallback-timeout-seconds = ${timeoutSeconds}\nopen-browser = false\n`;
  mkdirSync(join(at.home, ".config/latchkey"), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(at.home, ".config/latchkey/config.toml"),
    profile("one", clients.public.clientId) + profile("other", otherClient.client_id),
    { mode: 0o600 },
  );
  return {
    at,
    issuer,
    port,
    login: (name, more = []) => at.start(["login", "--profile", name, ...more]),
  };
}

/** The address that a sign-in shows, as soon as it does. */
async function addressOf(running: RunningCommand): Promise<string> {
  const [address = ""] = await running.waitFor(/^http:\S+\/auth\?\S+$/mu);
  return address;
}

const waitingFor = (processId: number): RegExp =>
  new RegExp(`^Process ${processId} is signing in; waiting for it \\(Ctrl-C`, "mu");

test("two clients on one port: the second waits, shows no address meanwhile, and goes on by itself [L18]", async () => {
  const { login } = await twoProfiles();
  const first = login("one");
  const firstAddress = await addressOf(first);
  const second = login("other");
  await second.waitFor(waitingFor(first.processId));
  expect(second.stderr()).not.toMatch(/https?:/u);
  const { finalPage } = await signIn(firstAddress);
  expect(finalPage).toContain("You are signed in");
  await signIn(await addressOf(second));
  const results = await Promise.all([first.finished, second.finished]);
  expect(results.map(({ code, stdout }) => [code, stdout])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect(second.stderr().match(/is signing in/gu)).toHaveLength(1);
  expect(second.stderr()).not.toContain("\u001b");
});

test("three at once: each gets its turn", async () => {
  const { at, login } = await twoProfiles();
  const running = [login("one"), login("other"), login("one", ["--scopes", "openid"])];
  const each = running.map(async (one) => {
    await signIn(await addressOf(one));
    return (await one.finished).code;
  });
  expect(await Promise.all(each)).toEqual([0, 0, 0]);
  const status = await at.run(["status", "--json"]);
  expect(JSON.parse(status.stdout)).toHaveLength(3);
});

test("the first is killed while its window is open: the second goes on", async () => {
  const { login } = await twoProfiles();
  const first = login("one");
  await addressOf(first);
  const second = login("other");
  await second.waitFor(waitingFor(first.processId));
  first.kill("SIGKILL");
  await signIn(await addressOf(second));
  expect((await second.finished).code).toBe(0);
});

test("the first takes too long: callback_timeout, which process, and what to do; the first is left alone", async () => {
  const { login, port } = await twoProfiles();
  const first = login("one");
  const address = await addressOf(first);
  const second = login("other", ["--callback-timeout-seconds", "1"]);
  const { code, stdout, stderr } = await second.finished;
  expect([code, stdout]).toEqual([5, ""]);
  expect(stderr.trimEnd().split("\n").at(-1)).toBe(
    `The sign-in did not begin, because process ${first.processId} still waits for a browser on port ${port} on 127.0.0.1 after 1 second. ` +
      `Finish that sign-in or end it (kill ${first.processId}) and start again, or register and set another --callback-port. [callback_timeout]`,
  );
  expect(stderr).not.toMatch(/https?:/u);
  await signIn(address);
  expect((await first.finished).code).toBe(0);
});

test("Ctrl-C ends the wait and nothing else", async () => {
  const { login } = await twoProfiles();
  const first = login("one");
  const address = await addressOf(first);
  const second = login("other");
  await second.waitFor(waitingFor(first.processId));
  second.kill("SIGINT");
  expect((await second.finished).code).toBe(130);
  await signIn(address);
  expect((await first.finished).code).toBe(0);
});

test("who waits for the waiter's own sign-in waits for both, and shares the outcome", async () => {
  const { login, at } = await twoProfiles();
  const first = login("one");
  const address = await addressOf(first);
  const second = login("other");
  await second.waitFor(waitingFor(first.processId));
  const third = at.start(["token", "--profile", "other"]);
  await third.waitFor(waitingFor(second.processId));
  await signIn(address);
  await signIn(await addressOf(second));
  const { code, stdout, stderr } = await third.finished;
  expect([code, stdout.trim() === "", /https?:/u.test(stderr)]).toEqual([0, false, false]);
});

test("another program on the port: callback_port_in_use, and no browser is opened [L03]", async () => {
  const { at, login, port } = await twoProfiles();
  const holder = await holdPort("127.0.0.1", port);
  const { code, stderr } = await login("one", ["--open-browser", "--browser-command", at.browser])
    .finished;
  await holder.free();
  expect([code, at.opened()]).toEqual([1, []]);
  expect(stderr).toMatch(/taken by another program.*\[callback_port_in_use\]\n$/u);
  expect(stderr).not.toMatch(/https?:|is signing in/u);
});

test("the library and the command line of one user wait for each other", async () => {
  const { at, issuer, port, login } = await twoProfiles();
  const before = { HOME: process.env["HOME"], XDG_STATE_HOME: process.env["XDG_STATE_HOME"] };
  onTestFinished(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  process.env["HOME"] = at.home;
  process.env["XDG_STATE_HOME"] = join(at.home, ".local", "state");
  let show = (_url: string): void => {};
  const shown = new Promise<string>((resolve) => (show = resolve));
  const token = new OidcAuth({
    issuer,
    clientId: "public-client",
    callbackPort: port,
    openBrowser: false,
    onPrompt: (event) => {
      if (event.type === "authorizationUrl") show(event.url);
    },
  }).getToken();
  const address = await shown;
  const second = login("other");
  await second.waitFor(waitingFor(process.pid));
  await signIn(address);
  expect((await token).source).toBe("login");
  await signIn(await addressOf(second));
  expect((await second.finished).code).toBe(0);
});

test.skipIf(noTerminal !== undefined).for([
  [80, / is signing in; waiting for it \(Ctrl-C stops waiting, not it\)\.$/u],
  [40, / is signing in; waiting\.$/u],
] as const)(
  `on a terminal of %i columns the wait is one line, which is gone when it is over${noTerminal ? ` (${noTerminal})` : ""}`,
  async ([columns, line]) => {
    const { at, login } = await twoProfiles();
    const first = login("one");
    const address = await addressOf(first);
    const terminal = startOnTerminal(
      `stty cols ${columns}; ${latchkeyLine(["login", "--profile", "other"])}`,
      { home: at.home },
    );
    await terminal.until(line);
    expect(terminal.output()).not.toMatch(/https?:/u);
    const [waiting = ""] = /Process \d+ .*$/u.exec(terminal.output()) ?? [];
    expect(waiting).toContain(`Process ${first.processId} `);
    expect(waiting.length).toBeLessThan(columns);
    await signIn(address);
    const [, ownAddress = ""] = await terminal.until(/^(http:\S+\/auth\?\S+)\r$/mu);
    await signIn(ownAddress);
    await terminal.until(/status=0/u);
    await terminal.finished;
    // What was erased is gone; no line of the wait is left standing.
    expect(terminal.output().replace(/[^\n]*\r\u001b\[2K/gu, "")).not.toContain("is signing in");
  },
);

test.skipIf(process.platform !== "linux")(
  "a stopped sign-in on the port is told by its process, with the way to go on [F-T8]",
  async () => {
    const { login } = await twoProfiles(60);
    const first = login("one");
    await addressOf(first);
    const second = login("other");
    await second.waitFor(waitingFor(first.processId));
    first.kill("SIGSTOP");
    const { code, stderr } = await second.finished;
    expect(code).toBe(5);
    const said = stderr.replaceAll(/\s+/gu, " ");
    expect(said).toContain(`Process ${first.processId} holds the lock`);
    expect(said).toContain(`kill -CONT ${first.processId}`);
    expect(said).toContain("[cache_locked: holder_stopped]");
    // Whoever comes only now hears the same, though it has never heard of that process.
    const third = await login("other").finished;
    expect(third.stderr.replaceAll(/\s+/gu, " ")).toContain(`kill -CONT ${first.processId}`);
    first.kill("SIGKILL");
    await first.finished;
  },
  60_000,
);
