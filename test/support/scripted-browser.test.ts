// Changes with what the stand-in browser does on the provider's pages.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenForRedirect, postForm, runCodeFlow } from "./authorization-code.ts";
import { scratchHome } from "./command-line.ts";
import { startIdentityProvider } from "./identity-provider.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { approveDevice, browserThatMustNotOpen, signIn } from "./scripted-browser.ts";

const run = promisify(execFile);
const browserCommand = fileURLToPath(new URL("browser-command.mjs", import.meta.url));
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await startIdentityProvider();
});
afterAll(() => provider.close());

/** A page of our own in the provider's place. */
async function withPage<Result>(
  page: { status?: number; location?: string; html?: string },
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const server = createServer((_request, response) => {
    response.writeHead(page.status ?? 200, {
      "content-type": "text/html",
      ...(page.location === undefined ? {} : { location: page.location }),
    });
    response.end(page.html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe("sign-in", () => {
  test("ends at the page of the listener and tells the way", async () => {
    const { visit } = await runCodeFlow(provider);
    expect(visit.finalStatus).toBe(200);
    expect(visit.finalUrl).toBe(visit.redirectUrl);
    expect(visit.visited[0]).toMatch(/\/auth\?/);
    expect(visit.visited.at(-1)).toBe(visit.redirectUrl);
  });

  test("denied, the client hears access_denied", async () => {
    const { callback, token } = await runCodeFlow(provider, { deny: true });
    expect(callback.get("error")).toBe("access_denied");
    expect(callback.get("state")).toBeTruthy();
    expect(token).toBeUndefined();
  });

  test("fails for another host, before it asks there", async () => {
    await expect(signIn("https://idp.example/auth")).rejects.toThrow("away from this machine");
    await withPage({ status: 302, location: "http://idp.example/" }, async (url) => {
      await expect(signIn(url)).rejects.toThrow("away from this machine: http://idp.example");
    });
  });

  test("fails for an unknown form, an error page, no end and a page of the provider", async () => {
    const form = `<form method="post" action="/"><input name="captcha"></form>`;
    await withPage({ html: form }, (url) => expect(signIn(url)).rejects.toThrow("unknown form"));
    await withPage({ status: 302, location: "/" }, (url) =>
      expect(signIn(url)).rejects.toThrow("no end after 30 steps"),
    );
    await withPage({ html: "<p>hello" }, (url) =>
      expect(signIn(url)).rejects.toThrow("ended at the provider"),
    );
    await expect(signIn(`${provider.issuer}/auth?client_id=nobody`)).rejects.toThrow(
      /the provider refused: 400 .*invalid_client/,
    );
  });

  test("stops when it is aborted", async () => {
    await expect(
      signIn(`${provider.issuer}/auth`, { signal: AbortSignal.abort() }),
    ).rejects.toThrow("aborted");
  });
});

describe("device flow", () => {
  const begin = async () => {
    const { body } = await postForm(`${provider.issuer}/device/auth`, {
      client_id: provider.clients.public.clientId,
      scope: "openid profile",
    });
    const poll = () =>
      postForm(`${provider.issuer}/token`, {
        grant_type: "urn:ietf:params:oauth:grant-type:device_code",
        client_id: provider.clients.public.clientId,
        device_code: String(body["device_code"]),
      });
    return {
      poll,
      userCode: String(body["user_code"]),
      address: String(body["verification_uri"]),
      complete: String(body["verification_uri_complete"]),
    };
  };

  test("with the complete address", async () => {
    const { poll, complete } = await begin();
    expect((await poll()).body["error"]).toBe("authorization_pending");
    const end = await approveDevice(complete);
    expect(end.finalPage).toContain("Sign-in Success");
    expect((await poll()).body).toMatchObject({ refresh_token: expect.any(String) });
    expect(provider.requests().device).toBeGreaterThan(0);
  });

  test("with the code typed in", async () => {
    const { poll, address, userCode } = await begin();
    await approveDevice(address, { userCode });
    expect((await poll()).status).toBe(200);
  });

  test("a wrong code fails, no code fails", async () => {
    const { address } = await begin();
    await expect(approveDevice(address, { userCode: "WRNG-CDES" })).rejects.toThrow("refused");
    await expect(approveDevice(address)).rejects.toThrow("asks for a user code");
  });

  test("denied", async () => {
    const { poll, complete } = await begin();
    await approveDevice(complete, { deny: true });
    expect((await poll()).body["error"]).toBe("access_denied");
  });
});

describe("as a command", () => {
  const visitByCommand = async (environment: Record<string, string>) => {
    const home = await scratchHome();
    const listener = await listenForRedirect();
    try {
      const url = `${provider.issuer}/auth?${new URLSearchParams({
        client_id: provider.clients.public.clientId,
        redirect_uri: listener.redirectUri,
        response_type: "code",
        scope: "openid",
        state: "state-of-the-command",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
      }).toString()}`;
      const log = join(home.path, "opened");
      await run(browserCommand, [url], {
        env: { PATH: process.env["PATH"], LATCHKEY_TEST_BROWSER_LOG: log, ...environment },
      });
      expect(await readFile(log, "utf8")).toBe(`${url}\n`);
      return listener.received[0]?.searchParams;
    } finally {
      await listener.close();
      await home.remove();
    }
  };

  test("signs in and writes down what it opened", async () => {
    const callback = await visitByCommand({});
    expect(callback?.get("code")).toBeTruthy();
    expect(callback?.get("state")).toBe("state-of-the-command");
  });

  test("denies", async () => {
    const callback = await visitByCommand({ LATCHKEY_TEST_BROWSER_DENY: "1" });
    expect(callback?.get("error")).toBe("access_denied");
  });

  test("needs an address", async () => {
    await expect(run(browserCommand, [])).rejects.toMatchObject({ code: 2 });
  });
});

test("a browser that must not open fails, and tells what it was asked for", async () => {
  const browser = browserThatMustNotOpen();
  await expect(browser.open("https://idp.example/secret")).rejects.toThrow("none may be");
  expect(browser.opened).toEqual(["https://idp.example/secret"]);
});
