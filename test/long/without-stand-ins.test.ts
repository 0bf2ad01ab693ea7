// A person, a browser, a provider, a server and the command line, and nothing that stands in for any of them: who knows a
// server's address signs in, over HTTP and over gRPC. Changes when a person's way from an address to an answer does.

import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Metadata, credentials, status, type ServiceError } from "@grpc/grpc-js";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { desk, provider, type Desk } from "../e2e/harness.ts";
import { signInOnPages, startChromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { freePort } from "../support/free-port.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const { available, reason } = needs("chromium");
/** What stands in a token was typed by somebody. */
const person = "Ann <b>&amp;";
const unavailable = available ? "" : ` (${reason ?? "no Chromium"})`;

/** Starts an example that serves, and gives the address that it prints. */
async function serve(name: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [`${examples}${name}`], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [address] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return address.trim();
}

/** Signs in with nothing but a server's address, in a browser with a person at it. */
async function signInAt(at: Desk, page: Page, server: string): Promise<string> {
  const flags = ["--server", server, "--callback-port", "0", "--no-open-browser"];
  const login = at.start(["login", ...flags, "--trust-server", "first-use"]);
  const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
  await page.goto(address);
  await signInOnPages(page, person);
  await page.getByRole("heading", { name: "You are signed in" }).waitFor();
  expect((await login.finished).code).toBe(0);
  const token = await at.run(["token", "--server", server, "--no-interactive"]);
  expect(token.code).toBe(0);
  return token.stdout.trim();
}

/** Screenshots stay where LATCHKEY_SCREENSHOTS says, to be looked at; else they go with the test. */
function screenshotFolder(): string {
  const kept = process.env["LATCHKEY_SCREENSHOTS"];
  if (kept !== undefined && kept !== "") return kept;
  const folder = mkdtempSync(join(tmpdir(), "latchkey-screenshots-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test.skipIf(!available)(
  `HTTP: from an address to a page that says who is signed in${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider({ jwtAccessTokens: true });
    const port = String(await freePort());
    const address = await serve("protected-server.mjs", {
      ISSUER: identityProvider.issuer,
      CLIENT_ID: identityProvider.clients.public.clientId,
      PORT: port,
    });
    const health = await fetch(`${address}/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { ok: true }]);
    const refused = await fetch(`${address}/hello`);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringContaining(`resource_metadata="${address}/`),
    ]);

    const chromium = await startChromium();
    onTestFinished(() => chromium.close());
    const token = await signInAt(at, await chromium.newPage(), address);
    const greeting = await at.run(["fetch", `${address}/hello`, "--no-interactive"]);
    expect([greeting.code, greeting.stdout]).toEqual([0, `Hello, ${person}.\n`]);
    expect(identityProvider.requests()).toMatchObject({ token: 1, authorization: 1 });

    // The person's page, as a browser behind `latchkey proxy` has it: with the token in a header.
    const page = await chromium.newPage();
    await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    const folder = screenshotFolder();
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1000, 320]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 640 });
        await page.goto(address);
        await page.getByRole("heading", { name: `Hello, ${person}.` }).waitFor();
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        expect(wide).toBeLessThanOrEqual(width);
        await page.screenshot({ path: join(folder, `who-${colorScheme}-${width}.png`) });
      }
    }
    expect(await page.content()).not.toContain(token.slice(0, 20));
    // The policy of the page allows its style, and nothing was refused.
    expect(problems).toEqual([]);
    expect(await page.locator("body").evaluate("node => getComputedStyle(node).color")).not.toBe(
      "rgb(0, 0, 0)",
    );

    const stranger = await fetch(address, { headers: { authorization: `Bearer ${token}x` } });
    expect(stranger.status).toBe(401);
  },
);

test.skipIf(!available)(
  `gRPC: the same by the address of a gRPC server${unavailable}`,
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const address = await serve("data-server.mjs", {
      ISSUER: identityProvider.issuer,
      CLIENT_ID: identityProvider.clients.public.clientId,
    });
    const chromium = await startChromium();
    onTestFinished(() => chromium.close());
    const token = await signInAt(at, await chromium.newPage(), address);

    const client = new Client(new URL(address).host, credentials.createInsecure());
    onTestFinished(() => client.close());
    const hello = (metadata: Metadata): Promise<string> =>
      new Promise((resolve, reject) => {
        const path = "/example.Greeter/Hello";
        const serialize = (value: string): Buffer => Buffer.from(value);
        client.makeUnaryRequest(path, serialize, String, "hello", metadata, (error, said) =>
          error === null ? resolve(said ?? "") : reject(error),
        );
      });
    const withToken = new Metadata();
    withToken.set("authorization", `Bearer ${token}`);
    expect(await hello(withToken)).toBe(`Hello, ${person}.`);
    const refused = await hello(new Metadata()).catch((error: unknown) => error as ServiceError);
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED });
  },
);
