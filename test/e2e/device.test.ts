// The built command line and the device flow, against a real provider.

import { expect, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { approveDevice } from "../support/scripted-browser.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { desk, provider } from "./harness.ts";

const startAddress = /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/;

/** Polls come 1.2 seconds apart, the shortest that is allowed. */
function changeDeviceAnswer(identityProvider: IdentityProvider, members: object = {}): void {
  identityProvider.tamper({
    path: "device",
    respond: async (_request, genuine) => {
      const real = await genuine();
      return {
        ...real,
        body: JSON.stringify({ ...JSON.parse(real.body), interval: 1, ...members }),
      };
    },
  });
}

test("login --flow device: the browser gets the complete address, the code is shown, and it is kept [V06]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  changeDeviceAnswer(identityProvider);
  const flags = [...at.flags(identityProvider), "--flow", "device"];
  const login = await at.run(["login", ...flags]);
  expect([login.code, login.stdout]).toEqual([0, ""]);
  expect(at.opened()).toEqual([expect.stringMatching(startAddress)]);
  const [, userCode = ""] = /and enter {2}([A-Z-]{8,})\n/.exec(login.stderr) ?? [];
  expect(login.stderr).toContain(`/device?user_code=${userCode}\n`);
  expect(login.stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/device$/m);
  expect(login.stderr).toMatch(/as client public-client for openid profile email/);
  expect(login.stderr).toMatch(/Signed in to 127\.0\.0\.1:\d+ as Alice Example\./);
  expectNoSecrets(login.stderr, secretsOf([identityProvider]));

  identityProvider.resetRequests();
  const token = await at.run(["token", ...flags]);
  expect([token.code, token.stderr, identityProvider.requests().total]).toEqual([0, "", 0]);
  expect(token.stdout).toMatch(/^[A-Za-z0-9._~+/-]+=*\n$/);
  const renewed = await at.run(["token", "--force-refresh", ...flags]);
  expect([renewed.code, renewed.stderr, identityProvider.requests().token]).toEqual([0, "", 1]);
  expect(renewed.stdout).not.toBe(token.stdout);
});

test("token --flow device --no-open-browser: a person elsewhere enters the code; the token alone on stdout", async () => {
  const at = await desk();
  const identityProvider = await provider();
  changeDeviceAnswer(identityProvider);
  const running = at.start([
    "token",
    ...at.flags(identityProvider),
    "--flow",
    "device",
    "--no-open-browser",
  ]);
  const [, userCode = ""] = await running.waitFor(/and enter {2}(\S+)\n/);
  const [address] = await running.waitFor(/^http:\S+\/device$/m);
  await approveDevice(address, { userCode });
  const { code, stdout, stderr } = await running.finished;
  expect([code, at.opened()]).toEqual([0, []]);
  expect(stdout).toMatch(/^[A-Za-z0-9._~+/-]+=*\n$/);
  expect(stderr).not.toMatch(/\u001b|Waiting/);
});

test("a code that is refused: exit 4; one that expires: exit 5; a hostile address: exit 1 and not shown [V04][V03][V05]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  changeDeviceAnswer(identityProvider);
  const flags = [...at.flags(identityProvider), "--flow", "device"];
  const refused = await at.run(["login", ...flags, "--browser-command", at.refusingBrowser]);
  expect([refused.code, refused.stdout]).toEqual([4, ""]);
  expect(refused.stderr).toMatch(/\[access_denied\]\n$/);

  changeDeviceAnswer(identityProvider, { expires_in: 2 });
  const expired = await at.run(["login", ...flags, "--no-open-browser"]);
  expect([expired.code, expired.stdout]).toEqual([5, ""]);
  expect(expired.stderr).toMatch(/Sign in again.*\[device_code_expired\]\n$/);

  changeDeviceAnswer(identityProvider, { verification_uri: "http://evil.example/" });
  const hostile = await at.run(["login", ...flags]);
  expect(hostile.code).toBe(1);
  expect(hostile.stderr).toMatch(/\[endpoint_invalid: verification_uri\]\n$/);
  expect(hostile.stderr).not.toContain("evil");
  expect(at.opened()).toHaveLength(1);
});

test("Ctrl-C while a code waits: 130, no more polls, and no lock left [V10]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  changeDeviceAnswer(identityProvider);
  const flags = [...at.flags(identityProvider), "--flow", "device"];
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const running = at.start(["login", ...flags, "--no-open-browser"]);
    await running.waitFor(/and enter/);
    running.kill(signal);
    const ended = await running.finished;
    expect([ended.code, ended.signal, ended.stdout]).toEqual([status, null, ""]);
  }
  expect(identityProvider.requests().token).toBe(0);
  expect((await at.run(["token", ...flags])).code).toBe(0);
});

test.skipIf(noTerminal !== undefined)(
  "a terminal that cannot rewrite a line gets no escape code, up to the last word",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const flags = [...at.flags(identityProvider).slice(0, 4), "--flow device --no-open-browser"];
    const terminal = startOnTerminal(`trap : INT; ${latchkeyLine(["login", ...flags])}`, {
      home: at.home,
      env: { TERM: "dumb" },
    });
    await terminal.until(/Enter it only if you started this sign-in yourself\.\s+$/u);
    terminal.child.stdin?.write("\u0003");
    await terminal.until(/status=130/u);
    await terminal.finished;
    expect(terminal.output()).toContain("Stopped before it was done. [aborted]");
    expect(terminal.output()).not.toContain("\u001b");
  },
);

test.skipIf(noTerminal !== undefined)(
  "[F-U17] on a terminal whoever comes back too late finds a new code, which signs in",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    changeDeviceAnswer(identityProvider, { expires_in: 3 });
    const flags = [...at.flags(identityProvider).slice(0, 4), "--flow device --no-open-browser"];
    const terminal = startOnTerminal(latchkeyLine(["login", ...flags]), { home: at.home });
    const [, expired = ""] = await terminal.until(/and enter {2}(\S+)/u);
    const [, address = "", userCode = ""] = await terminal.until(
      /The last code has expired\. Here is a new one\.\s[^]*?(http:\S+)\s+and enter {2}(\S+)/u,
    );
    expect(userCode).not.toBe(expired);
    await approveDevice(address, { userCode });
    await terminal.until(/status=0/u);
    await terminal.finished;
  },
);

test.skipIf(noTerminal !== undefined).each([
  ["no browser opens", []],
  ["[F-U2] --no-open-browser", ["--no-open-browser"]],
] as const)(
  `on a terminal over SSH, %s: address, port and code are offered together, and the code signs in${noTerminal ? ` (${noTerminal})` : ""}`,
  async (_name, more) => {
    const at = await desk();
    const identityProvider = await provider();
    changeDeviceAnswer(identityProvider);
    const words = [
      "login",
      "--issuer",
      identityProvider.issuer,
      "--client-id",
      "public-client",
      "--callback-port",
      "0",
      ...more,
    ];
    const { until, output, finished } = startOnTerminal(latchkeyLine(words), {
      home: at.home,
      env: { SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22", USER: "alice" },
    });
    const [, address = "", userCode = ""] = await until(
      /3 {2}Or on any device visit\s+(\S+)\s+and enter {2}(\S+) {2}\(until \d\d:\d\d\)/u,
    );
    expect(output()).toMatch(/No browser here \(SSH session\)/u);
    expect(output()).toMatch(/ssh -L \d+:127\.0\.0\.1:\d+ alice@/u);
    await approveDevice(address, { userCode });
    await until(/status=0/u);
    await finished;
    expect(output()).toMatch(/Signed in to 127\.0\.0\.1:\d+ as Alice Example\./u);
  },
);
