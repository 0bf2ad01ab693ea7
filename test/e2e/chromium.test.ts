// A real sign-in in Debian's Chromium through the built command line, with a screenshot of each page that a person sees.

import { mkdtempSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { cancelOnPages, signInOnPages, startChromium, type Chromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { desk, provider } from "./harness.ts";

const { available, reason } = needs("chromium");
const unavailable = available ? "" : ` (${reason ?? "no Chromium"})`;

/** Screenshots stay where LATCHKEY_SCREENSHOTS says, to be looked at; else they go with the test. */
function screenshotFolder(): string {
  const kept = process.env["LATCHKEY_SCREENSHOTS"];
  if (kept !== undefined && kept !== "") return kept;
  const folder = mkdtempSync(join(tmpdir(), "latchkey-screenshots-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function photograph(page: Page, folder: string, title: string): Promise<void> {
  const path = join(folder, `${title}.png`);
  await page.screenshot({ path, fullPage: true });
  expect(statSync(path).size).toBeGreaterThan(2000);
}

async function browser(): Promise<Chromium> {
  const started = await startChromium();
  onTestFinished(() => started.close());
  return started;
}

/** What a screen reader says first, and what a page must not do. */
async function expectFinishedProduct(page: Page, heading: string, title: string): Promise<void> {
  await page.getByRole("heading", { name: heading }).waitFor();
  expect(await page.title()).toMatch(new RegExp(`^${title}`));
  expect(await page.locator("script").count()).toBe(0);
  // The code is gone from the address bar, and from what going back would show.
  expect(new URL(page.url()).search).toBe("");
}

test.skipIf(!available)(
  `signs in, sees the true outcome, and the address bar holds no code [L15]${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const folder = screenshotFolder();
    const chromium = await browser();
    const flags = [...at.flags(identityProvider), "--no-open-browser"];
    const login = at.start(["login", ...flags]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const page = await chromium.newPage();
    await page.goto(address);
    await photograph(page, folder, "1-provider-login");
    await signInOnPages(page);
    await expectFinishedProduct(page, "You are signed in", "Signed in");
    await photograph(page, folder, "2-signed-in");
    const ended = await login.finished;
    expect([ended.code, ended.stdout]).toEqual([0, ""]);
    expect(ended.stderr).toContain("as Alice Example");
    expect((await at.run(["token", ...flags])).code).toBe(0);
    const history = await page.evaluate("history.length");
    expect(history).toBeGreaterThan(0);
  },
);

test.skipIf(!available)(
  `signs in with an answer that is posted, beside many cookies of other programs [F-U18][F-T9][L15]${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const chromium = await browser();
    const flags = [...at.flags(identityProvider), "--no-open-browser"];
    const login = at.start(["login", ...flags, "--response-mode", "form_post"]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const callback = new URL(address).searchParams.get("redirect_uri") ?? "";
    const posts: string[] = [];
    chromium.context.on("request", (request) => {
      if (request.url().startsWith(callback)) posts.push(`${request.method()} ${request.url()}`);
    });
    // A path keeps them from the provider, which has the same host.
    const cookies = Array.from({ length: 40 }, (_, index) => ({
      name: `other-${String(index)}`,
      value: "x".repeat(1500),
      domain: "127.0.0.1",
      path: "/callback",
    }));
    await chromium.context.addCookies(cookies);
    const page = await chromium.newPage();
    await page.goto(address);
    await signInOnPages(page);
    await expectFinishedProduct(page, "You are signed in", "Signed in");
    expect(posts).toEqual([`POST ${callback}`]);
    expect((await login.finished).code).toBe(0);
    // What going back shows holds no code either.
    await page.goBack();
    expect(page.url()).not.toContain("code=");
  },
);

test.skipIf(!available)(
  `a browser with more cookies than are read sees why, and so does the terminal [F-T9]${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const folder = screenshotFolder();
    const chromium = await browser();
    const flags = at.flags(identityProvider);
    const login = at.start([
      "login",
      ...flags,
      "--no-open-browser",
      "--callback-timeout-seconds",
      "8",
    ]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const callback = new URL(address).searchParams.get("redirect_uri") ?? "";
    await chromium.context.addCookies(
      Array.from({ length: 60 }, (_, index) => ({
        name: `other-${String(index)}`,
        value: "x".repeat(3500),
        url: callback,
      })),
    );
    const page = await chromium.newPage();
    await page.goto(`${callback}?code=x&state=y`);
    await page.getByRole("heading", { name: "The browser sent too much" }).waitFor();
    await photograph(page, folder, "7-too-much");
    const { code, stderr } = await login.finished;
    expect(code).toBe(5);
    expect(stderr).toContain("cookies that other programs have set for 127.0.0.1");
  },
);

test.skipIf(!available)(
  `a person who cancels sees that nothing was changed${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const folder = screenshotFolder();
    const chromium = await browser();
    const login = at.start(["login", ...at.flags(identityProvider), "--no-open-browser"]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const page = await chromium.newPage();
    await page.goto(address);
    await cancelOnPages(page);
    await expectFinishedProduct(page, "Sign-in was refused", "Not signed in");
    await photograph(page, folder, "3-refused");
    expect((await login.finished).code).toBe(4);
  },
);

test.skipIf(!available)(
  `an exchange that fails after the redirect never shows success [L17]${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const folder = screenshotFolder();
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    identityProvider.tamper({
      path: "token",
      respond: async () => {
        await asked;
        return { status: 500, headers: { "content-type": "text/plain" }, body: "broken" };
      },
    });
    const chromium = await browser();
    const login = at.start(["login", ...at.flags(identityProvider), "--no-open-browser"]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const page = await chromium.newPage();
    await page.goto(address);
    await signInOnPages(page);
    await expectFinishedProduct(page, "Finishing sign-in", "Finishing");
    await photograph(page, folder, "4-finishing");
    answer();
    await expectFinishedProduct(page, "Sign-in did not finish", "Not signed in");
    await photograph(page, folder, "5-failed");
    expect((await login.finished).code).not.toBe(0);
  },
);

test.skipIf(!available)(
  `a stray tab is told that it belongs to another sign-in, and the sign-in goes on [L08]${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const folder = screenshotFolder();
    const chromium = await browser();
    const login = at.start(["login", ...at.flags(identityProvider), "--no-open-browser"]);
    const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
    const callback = new URL(address).searchParams.get("redirect_uri") ?? "";
    const stray = await chromium.newPage();
    await stray.goto(`${callback}?code=x&state=old`);
    await stray.getByRole("heading", { name: "This page belongs to another sign-in" }).waitFor();
    await photograph(stray, folder, "6-other-sign-in");
    const page = await chromium.newPage();
    await page.goto(address);
    await signInOnPages(page);
    await expectFinishedProduct(page, "You are signed in", "Signed in");
    expect((await login.finished).code).toBe(0);
  },
);
