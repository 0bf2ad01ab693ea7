// The options of the browser and of the listener that it comes back to, as they are seen from outside
// (`node scripts/ignored-options.mjs` proves that each has a test).

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OidcAuth } from "../../src/index.ts";
import { freePort } from "../support/free-port.ts";
import { desktop, emptyHome, failureOf, person, provider, requestsOf } from "./harness.ts";

async function occupiedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("openBrowser: runs the browser command with a start address, or does not", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  const log = join(home, "opened");
  const browserCommand = `${process.execPath} -e "require('fs').writeFileSync('${log}', process.argv[1])"`;
  const someone = person();
  await new OidcAuth({
    ...desktop(identityProvider, someone),
    openBrowser: false,
    browserCommand,
  }).getToken();
  expect(existsSync(log)).toBe(false);
  const shown = person();
  await new OidcAuth({
    ...desktop(identityProvider, shown),
    openBrowser: true,
    browserCommand,
    forceLogin: true,
  }).getToken();
  const event = shown.events.find((each) => each.type === "authorizationUrl");
  expect(event?.browserOpened).toBe(true);
  const { origin } = new URL(event?.redirectUri ?? "");
  expect(readFileSync(log, "utf8").slice(0, origin.length + 1)).toBe(`${origin}/`);
});

test("redirectUri: is sent as it is, and its path and port are the listener's", async () => {
  emptyHome();
  const identityProvider = await provider();
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${String(port)}/other/path`;
  const { callbackPort: _unset, ...options } = desktop(identityProvider);
  await new OidcAuth({ ...options, redirectUri }).getToken();
  expect(identityProvider.authorizationRequests()[0]?.get("redirect_uri")).toBe(redirectUri);
  expect(identityProvider.tokenRequests()[0]?.get("redirect_uri")).toBe(redirectUri);
});

test("redirectUri: a loopback one without a port needs callbackPort", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { callbackPort: _unset, ...options } = desktop(identityProvider);
  const error = await failureOf(
    new OidcAuth({ ...options, redirectUri: "http://127.0.0.1/callback" }).getToken(),
  );
  expect([error.code, error.message.includes("`callbackPort`")]).toEqual(["invalid_option", true]);
});

test("callbackHost: is the listener's interface and the redirect URI's host [L02]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const six = await requestsOf(identityProvider, { callbackHost: "::1" });
  expect(six.authorization.get("redirect_uri")).toMatch(/^http:\/\/\[::1\]:\d+\/callback$/);
  const named = await requestsOf(identityProvider, { callbackHost: "localhost", forceLogin: true });
  expect(named.authorization.get("redirect_uri")).toMatch(/^http:\/\/localhost:\d+\/callback$/);
});

test("callbackHost: beyond loopback works when set, with a warning [L01]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person();
  await new OidcAuth({ ...desktop(identityProvider, someone), callbackHost: "0.0.0.0" }).getToken();
  expect(someone.events).toContainEqual(
    expect.objectContaining({ type: "warning", code: "callback_host_exposed" }),
  );
});

test("callbackPort: a fixed one is used, 0 is any, a list gives the first free one", async () => {
  emptyHome();
  const identityProvider = await provider();
  const port = await freePort();
  const fixed = await requestsOf(identityProvider, { callbackPort: port });
  expect(fixed.authorization.get("redirect_uri")).toBe(`http://127.0.0.1:${String(port)}/callback`);
  const taken = await occupiedPort();
  const list = await requestsOf(identityProvider, {
    callbackPort: [taken, port],
    forceLogin: true,
  });
  expect(list.authorization.get("redirect_uri")).toBe(`http://127.0.0.1:${String(port)}/callback`);
});

test("callbackPort: one that is taken ends the sign-in before anything is shown [L03]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const port = await occupiedPort();
  const someone = person();
  const error = await failureOf(
    new OidcAuth({ ...desktop(identityProvider, someone), callbackPort: port }).getToken(),
  );
  expect([error.code, error.message.includes(String(port))]).toEqual([
    "callback_port_in_use",
    true,
  ]);
  expect(someone.visits).toEqual([]);
});

test("callbackTimeoutSeconds: is the longest wait for the browser, and is shown", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person({ idle: true });
  const error = await failureOf(
    new OidcAuth({ ...desktop(identityProvider, someone), callbackTimeoutSeconds: 0.3 }).getToken(),
  );
  expect([error.code, error.message.includes("0.3 seconds")]).toEqual(["callback_timeout", true]);
  const shown = someone.events.find((event) => event.type === "authorizationUrl");
  expect((shown?.expiresAt.getTime() ?? 0) - Date.now()).toBeLessThan(1000);
});

test("applicationName: is shown on the page, escaped [L14]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person();
  await new OidcAuth({
    ...desktop(identityProvider, someone),
    applicationName: "<b>Graph</b>",
  }).getToken();
  const { finalPage } = await someone.finalPage;
  expect(finalPage).toContain("&lt;b&gt;Graph&lt;/b&gt;");
  expect(finalPage).not.toContain("<b>Graph");
});
