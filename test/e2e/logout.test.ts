// Logout at the provider, as the built command line offers it. Changes when what a person is offered does.

import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { decodeJwt } from "jose";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { signInOnPages, startChromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { desk, provider, type Desk } from "./harness.ts";

const built = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));
const { available } = needs("chromium");
// Other systems have another program of this name.
const hasTerminal = process.platform === "linux" && needs("script").available;
const logoutAddress = /^http:\S+\/session\/end\?\S+$/m;

/** Starts a sign-in and leads the page to it; the command goes on. */
async function startLogin(at: Desk, flags: readonly string[], page: Page) {
  const login = at.start(["login", ...flags]);
  const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
  await page.goto(address);
  return login;
}

test.skipIf(!available)(
  "the address that logout --revoke shows ends the provider's session in the browser",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const flags = [...at.flags(identityProvider), "--no-open-browser"];
    const chromium = await startChromium();
    onTestFinished(() => chromium.close());
    const page = await chromium.newPage();

    const first = await startLogin(at, flags, page);
    await signInOnPages(page);
    expect((await first.finished).code).toBe(0);
    // The provider knows the person still: it asks for consent, as always of a native client, and for no name.
    const second = await startLogin(at, flags, page);
    await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" });
    await page.click("button[type=submit]");
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    expect((await second.finished).code).toBe(0);

    const logout = await at.run(["logout", "--revoke", ...flags]);
    expect([logout.code, logout.stdout]).toEqual([0, ""]);
    const [address = ""] = logoutAddress.exec(logout.stderr) ?? [];
    await page.goto(address);
    await page.getByRole("button", { name: "Yes, sign me out" }).click();
    await page.waitForURL(/session\/end\/success/);

    const third = await startLogin(at, flags, page);
    await page.waitForSelector("input[name=login]");
    third.kill();
    await third.finished;
  },
);

test("the address holds the client's name and no token, and nothing is opened without a terminal [I1]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const logout = await at.run(["logout", "--revoke", ...flags]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  const [address = ""] = logoutAddress.exec(logout.stderr) ?? [];
  expect([...new URL(address).searchParams]).toEqual([
    ["client_id", identityProvider.clients.public.clientId],
  ]);
  expectNoSecrets(logout.stderr, secretsOf([identityProvider]));
  expect(at.opened()).toHaveLength(1);
});

test("without --revoke no request is made and no address shown", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  identityProvider.resetRequests();
  const logout = await at.run(["logout", ...flags]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  expect(logout.stderr).not.toMatch(/https?:/);
  expect(identityProvider.requests().total).toBe(0);
});

test.each([
  ["alone", []],
  ["--all", ["--all"]],
])(
  "logout %s takes what a killed first sign-in has left of its token [C13]",
  async (_name, more) => {
    const at = await desk();
    const flags = at.flags(await provider());
    await at.run(["login", ...flags]);
    const folder = join(at.home, ".local/state/latchkey");
    const [name = ""] = readdirSync(folder).filter((each) => each.endsWith(".json"));
    const left = join(folder, `.${name}.latchkey-0123456789abcdef.tmp`);
    renameSync(join(folder, name), left);
    const logout = await at.run(["logout", ...flags, ...more]);
    expect([logout.code, existsSync(left)]).toEqual([0, false]);
  },
);

test("a provider that cannot be reached: forgotten, said, and the address is shown all the same", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  await identityProvider.close();
  const logout = await at.run(["logout", "--revoke", ...flags]);
  expect([logout.code, logout.stdout]).toEqual([1, ""]);
  expect(logout.stderr).toMatch(logoutAddress);
  expect(JSON.parse((await at.run(["status", "--json"])).stdout)).toEqual([]);
});

test("--all --revoke shows the address of each provider once, and opens none", async () => {
  const at = await desk();
  const providers = [await provider(), await provider()];
  for (const each of providers) await at.run(["login", ...at.flags(each)]);
  const logout = await at.run(["logout", "--all", "--revoke"]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  for (const { issuer } of providers) {
    expect(logout.stderr.split(`${issuer}/session/end?`)).toHaveLength(2);
  }
  expect(at.opened()).toHaveLength(2);
});

test("--all --revoke revokes what was made with a resource or acr values [F-D1]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const signIns = [
    ["--resource", "https://api.example.com"],
    ["--acr-values", "urn:example:silver"],
    ["--resource", "https://a.example https://b.example", "--login-hint", "alice"],
  ];
  for (const more of signIns) expect((await at.run(["login", ...flags, ...more])).code).toBe(0);
  identityProvider.resetRequests();
  const logout = await at.run(["logout", "--all", "--revoke"]);
  expect([logout.code, logout.stdout]).toEqual([0, ""]);
  expect(logout.stderr).toMatch(/^Forgot 3 sign-ins\.$/m);
  expect(identityProvider.requests().revocation).toBeGreaterThanOrEqual(3);
});

/** `latchkey logout --revoke` at a terminal of its own; gives what was shown. */
async function logOutOnTerminal(at: Desk, flags: readonly string[]): Promise<string> {
  const words = [process.execPath, built, "logout", "--revoke", ...flags];
  const quoted = words.map((word) => `'${word}'`).join(" ");
  // Of util-linux: runs a command at a terminal of its own.
  const { stdout } = await promisify(execFile)("script", ["-qec", quoted, "/dev/null"], {
    timeout: 15_000,
    env: { PATH: process.env["PATH"], HOME: at.home, XDG_STATE_HOME: `${at.home}/.local/state` },
  });
  return stdout;
}

test.skipIf(!hasTerminal).each([
  ["opens a page", [], 2],
  ["leaves it closed with --no-open-browser", ["--no-open-browser"], 1],
] as const)("on a terminal it %s", async (_name, more, opened) => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  expect(await logOutOnTerminal(at, [...flags, ...more])).toContain("/session/end?client_id=");
  expect(at.opened()).toHaveLength(opened);
});

test.skipIf(!hasTerminal)(
  "[F-U20] the browser is led to the page with the ID token as a hint; neither its arguments nor the terminal have it [I1]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const flags = at.flags(identityProvider);
    await at.run(["login", ...flags]);
    const file = join(at.home, "led");
    // A browser that notes its argument, and where that leads.
    const script = `const [, , url] = process.argv; require("http").get(url, ({ headers }) => require("fs").writeFileSync("${file}", url + " " + headers.location))`;
    writeFileSync(join(at.home, "browser.cjs"), script);
    const command = `${process.execPath} ${join(at.home, "browser.cjs")}`;
    const shown = await logOutOnTerminal(at, [...flags, "--browser-command", command]);
    const [argument = "", led = ""] = readFileSync(file, "utf8").split(" ");
    expect(argument).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
    const page = new URL(led);
    expect(page.href.startsWith(`${identityProvider.issuer}/session/end?`)).toBe(true);
    expect([...page.searchParams.keys()]).toEqual(["client_id", "id_token_hint"]);
    expect(decodeJwt(page.searchParams.get("id_token_hint") ?? "").sub).toBe("alice");
    expect(shown).toContain("Opened the page of 127.0.0.1:");
    expect(shown).toContain("/session/end?client_id=");
    expect(shown).not.toContain("id_token_hint");
    expectNoSecrets(shown, secretsOf([identityProvider]));
  },
);
