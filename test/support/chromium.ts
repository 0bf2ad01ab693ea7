// Changes when Debian's Chromium must be started in another way.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { BrowserContext, Page } from "playwright-core";
import { needs } from "./debian-packages.ts";

export interface ChromiumOptions {
  /** Default false. True: pages with a certificate of a private authority open all the same. */
  ignoreCertificateErrors?: boolean;
  colorScheme?: "light" | "dark";
  viewport?: { width: number; height: number };
}

export interface Chromium {
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
  /** Addresses beyond this machine that a page asked for. They were refused. */
  readonly blocked: readonly string[];
  close(): Promise<void>;
}

const loopbackHosts = ["127.0.0.1", "[::1]", "localhost"];

/** Beside the route below: what the browser asks for on its own account must not leave the machine either. */
const onlyLoopback = [
  "MAP * ~NOTFOUND",
  ...["127.0.0.1", "::1", "localhost"].map((host) => `EXCLUDE ${host}`),
].join(", ");

const switches = [
  // Chromium's sandbox needs rights that root in a container does not have.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--no-proxy-server",
  `--host-resolver-rules=${onlyLoopback}`,
];

/**
 * Starts Chromium without a window, with an empty profile, on this machine alone.
 * Ask `needs("chromium")` first, and skip the test where it is not available.
 */
export async function startChromium(options: ChromiumOptions = {}): Promise<Chromium> {
  const { available, path, reason } = needs("chromium");
  if (!available) throw new Error(reason);
  const profile = await mkdtemp(join(tmpdir(), "latchkey-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: path,
    headless: true,
    args: switches,
    // Its crash reports and caches go where the profile goes, not to the home of whoever runs the tests.
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
    ignoreHTTPSErrors: options.ignoreCertificateErrors ?? false,
    ...(options.colorScheme === undefined ? {} : { colorScheme: options.colorScheme }),
    ...(options.viewport === undefined ? {} : { viewport: options.viewport }),
  });
  const blocked: string[] = [];
  await context.route(
    (url) => !loopbackHosts.includes(url.hostname),
    async (route) => {
      blocked.push(route.request().url());
      await route.abort();
    },
  );
  return {
    context,
    blocked,
    newPage: () => context.newPage(),
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Fills in oidc-provider's login page and agrees on its consent page; the page is at its first one already. */
export async function signInOnPages(page: Page, login = "alice"): Promise<void> {
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", "any");
  await page.click("button[type=submit]");
  await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" });
  await page.click("button[type=submit]");
}

/** Presses Cancel on either of those pages. */
export async function cancelOnPages(page: Page): Promise<void> {
  await page.click("text=Cancel");
}

/** The person's part of the device flow, from the complete verification address on. */
export async function approveDeviceOnPages(
  page: Page,
  url: string,
  login = "alice",
): Promise<void> {
  await page.goto(url);
  await page.click("button[form='op.deviceConfirmForm'][autofocus]");
  await signInOnPages(page, login);
  await page.waitForSelector("text=Sign-in Success");
}
