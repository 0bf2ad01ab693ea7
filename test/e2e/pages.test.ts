// The pages of the loopback listener in a real browser: what is said, how it fits, what is asked of the network.
// Changes when a page's promise does. Screenshots go to a temporary folder, for whoever changes the looks.
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page as Tab } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChromium } from "../support/chromium.ts";
import type { Chromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { systemClock } from "../../src/core/clock.ts";
import { openCallbackListener } from "../../src/interaction/listener.ts";
import {
  finishingPage,
  nothingHerePage,
  otherSignInPage,
  tooMuchPage,
  outcomePage,
} from "../../src/interaction/pages/states.ts";
import type { Page } from "../../src/interaction/pages/page.ts";

const hasBrowser = needs("chromium").available;

interface State {
  readonly page: Page;
  readonly title: string;
  readonly heading: string | undefined;
}

const longName = "Quarterly-Consolidated-Forecast-Workbench-of-the-Northern-Region";
const withoutRefresh = (page: Page): Page => {
  const { Refresh: _refresh, ...headers } = page.headers;
  return { ...page, headers };
};
const states: Readonly<Record<string, State>> = {
  finishing: {
    // Alone on a server, the page would ask again for ever.
    page: withoutRefresh(finishingPage("Graph Notebook", 1)),
    title: "Finishing…",
    heading: "Finishing sign-in",
  },
  done: {
    page: outcomePage({ kind: "done" }, undefined),
    title: "Signed in",
    heading: "You are signed in",
  },
  "done-named": {
    page: outcomePage({ kind: "done" }, longName),
    title: "Signed in",
    heading: "You are signed in",
  },
  refused: {
    page: outcomePage({ kind: "refused" }, "Graph Notebook"),
    title: "Not signed in",
    heading: "Sign-in was refused",
  },
  failed: {
    page: outcomePage(
      { kind: "failed", code: "id_token_invalid: id_token_aud" },
      "Graph Notebook <script>",
    ),
    title: "Not signed in",
    heading: "Sign-in did not finish",
  },
  other: {
    page: otherSignInPage(),
    title: "Not this one",
    heading: "This page belongs to another sign-in",
  },
  tooMuch: { page: tooMuchPage(), title: "Not signed in", heading: "The browser sent too much" },
  nothing: { page: nothingHerePage(404), title: "Nothing here", heading: "Nothing here" },
};

const views = {
  desktop: { width: 1280, height: 800 },
  narrow: { width: 320, height: 568 },
  // What 200 % zoom does to a window of 1280 by 800.
  zoomed: { width: 640, height: 400 },
} as const;

let browser: Chromium;
let server: Server;
let origin: string;
let folder: string;

beforeAll(async () => {
  if (!hasBrowser) return;
  folder = await mkdtemp(join(tmpdir(), "latchkey-pages-"));
  server = createServer((request, response) => {
    const state = states[(request.url ?? "/").slice(1)];
    if (state === undefined) response.writeHead(404).end();
    else response.writeHead(state.page.status, state.page.headers).end(state.page.html);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await startChromium();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

async function overflowing(tab: Tab): Promise<boolean> {
  return tab.evaluate(
    "document.documentElement.scrollWidth > document.documentElement.clientWidth",
  );
}

test.skipIf(!hasBrowser).for(Object.keys(states))(
  "the %s page says its words and fits: desktop, 320 px, zoomed twice, light and dark",
  { timeout: 60_000 },
  async (name) => {
    const state = states[name] as State;
    const tab = await browser.newPage();
    const asked: string[] = [];
    const complaints: string[] = [];
    tab.on("request", (request) => asked.push(request.url()));
    tab.on("console", (message) => complaints.push(message.text()));
    await tab.goto(`${origin}/${name}`);

    expect(await tab.title()).toBe(state.title);
    expect(await tab.locator("h1").allTextContents()).toEqual(
      state.heading === undefined ? [] : [state.heading],
    );
    expect(await tab.locator("html").getAttribute("lang")).toBe("en");
    expect(await tab.getByRole("status").count()).toBe(1);
    // The outcome is the first thing said.
    expect((await tab.locator("body").innerText()).trim()).toMatch(
      new RegExp(`^${state.heading ?? "Nothing here"}`, "u"),
    );
    expect(await tab.locator("script").count()).toBe(0);
    const backgrounds = new Set<unknown>();
    for (const [view, viewport] of Object.entries(views)) {
      for (const colorScheme of ["light", "dark"] as const) {
        await tab.setViewportSize(viewport);
        await tab.emulateMedia({ colorScheme });
        expect(await overflowing(tab)).toBe(false);
        backgrounds.add(
          await tab.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
        );
        await tab.screenshot({ path: join(folder, `${name}-${view}-${colorScheme}.png`) });
      }
    }
    // The style sheet was let in by its hash, and knows both appearances.
    expect(backgrounds).toEqual(new Set(["rgb(250, 249, 246)", "rgb(22, 24, 28)"]));
    expect(asked.filter((url) => !url.startsWith(`${origin}/`))).toEqual([]);
    expect(browser.blocked).toEqual([]);
    expect(complaints.filter((text) => /security policy|refused/iu.test(text))).toEqual([]);
    await tab.close();
  },
);

test.skipIf(!hasBrowser)(
  "a browser that waits sees Finishing, then the true outcome, without a query and without the code [L15][L17]",
  { timeout: 60_000 },
  async () => {
    const listener = await openCallbackListener({
      host: "127.0.0.1",
      ports: [0],
      path: "/callback",
      responseMode: "query",
      isExpectedState: (candidate) => candidate === "expected-state",
      applicationName: "Graph Notebook",
      clock: systemClock,
      logger: undefined,
      randomBytes,
    });
    const tab = await browser.newPage();
    try {
      const visit = tab.goto(
        `http://${listener.authority}/callback?code=the-code&state=expected-state`,
      );
      const parameters = await listener.callback;
      expect(parameters.get("code")).toBe("the-code");
      await visit;
      expect(await tab.title()).toBe("Finishing…");
      listener.settle({ kind: "failed", code: "token_request_failed" });
      await tab.getByText("Sign-in did not finish").waitFor();
      expect(await tab.title()).toBe("Not signed in");
      expect(new URL(tab.url()).search).toBe("");
      await listener.ended;
      // Nothing of the callback is left to go back to.
      await tab.goBack({ timeout: 2000 }).catch(() => undefined);
      expect(tab.url()).not.toContain("the-code");
    } finally {
      await listener.close();
      await tab.close();
    }
  },
);

test.skipIf(!hasBrowser)("the screenshots are where the looks can be judged", () => {
  expect(existsSync(join(folder, "done-desktop-light.png"))).toBe(true);
  if (process.env["LATCHKEY_SHOW_SCREENSHOTS"]) process.stdout.write(`${folder}\n`);
});
