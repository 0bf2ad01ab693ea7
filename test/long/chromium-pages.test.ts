// Changes with what tests can do in a real browser.
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenForRedirect, postForm } from "../support/authorization-code.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import {
  approveDeviceOnPages,
  cancelOnPages,
  signInOnPages,
  startChromium,
} from "../support/chromium.ts";
import type { Chromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { startIdentityProvider } from "../support/identity-provider.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";

describe.skipIf(!needs("chromium").available)("Chromium", () => {
  let browser: Chromium;
  let provider: IdentityProvider;
  beforeAll(async () => {
    [browser, provider] = await Promise.all([startChromium(), startIdentityProvider()]);
  });
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  const authorizationUrl = (redirectUri: string): string =>
    `${provider.issuer}/auth?${new URLSearchParams({
      client_id: provider.clients.public.clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid profile",
      state: "state-of-chromium",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    }).toString()}`;

  test("signs in on the provider's pages and comes back", async () => {
    const listener = await listenForRedirect();
    const page = await browser.newPage();
    await page.goto(authorizationUrl(listener.redirectUri));
    await signInOnPages(page);
    await page.waitForSelector("text=Back at the client");
    expect(listener.received[0]?.searchParams.get("code")).toBeTruthy();
    await page.close();
    await listener.close();
  });

  test("cancels, and the client hears access_denied", async () => {
    const listener = await listenForRedirect();
    const page = await browser.newPage();
    await browser.context.clearCookies();
    await page.goto(authorizationUrl(listener.redirectUri));
    await cancelOnPages(page);
    await page.waitForSelector("text=Back at the client");
    expect(listener.received[0]?.searchParams.get("error")).toBe("access_denied");
    await page.close();
    await listener.close();
  });

  test("approves a device", async () => {
    const { body } = await postForm(`${provider.issuer}/device/auth`, {
      client_id: provider.clients.public.clientId,
      scope: "openid profile",
    });
    const page = await browser.newPage();
    await browser.context.clearCookies();
    await approveDeviceOnPages(page, String(body["verification_uri_complete"]), "bob");
    await page.close();
    const token = await postForm(`${provider.issuer}/token`, {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      client_id: provider.clients.public.clientId,
      device_code: String(body["device_code"]),
    });
    expect(token.status).toBe(200);
  });

  test("lets nothing leave the machine, and tells what wanted to", async () => {
    const page = await browser.newPage();
    await expect(page.goto("https://away.example/")).rejects.toThrow("ERR_FAILED");
    expect(browser.blocked).toContain("https://away.example/");
    // The provider's own pages ask for a web font.
    expect(browser.blocked.some((url) => url.includes("fonts"))).toBe(true);
    await page.close();
  });

  test.skipIf(!needs("openssl").available)(
    "refuses a private authority unless told otherwise",
    async () => {
      const authority = await makeCertificateAuthority();
      const secure = await startIdentityProvider({ tls: authority });
      const lenient = await startChromium({ ignoreCertificateErrors: true });
      try {
        const url = `${secure.issuer}/.well-known/openid-configuration`;
        const page = await browser.newPage();
        await expect(page.goto(url)).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
        await page.close();
        const answer = await (await lenient.newPage()).goto(url);
        expect(answer?.status()).toBe(200);
      } finally {
        await lenient.close();
        await secure.close();
        await authority.dispose();
      }
      expect(existsSync(authority.caPath)).toBe(false);
    },
  );
});
