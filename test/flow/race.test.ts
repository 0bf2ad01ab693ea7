// A device code beside a browser that did not open, against a real OpenID Provider: who ends whom.

import { createServer, get } from "node:http";
import { expect, test } from "vitest";
import type { DeviceCodeEvent } from "../../src/core/prompt.ts";
import type { BrowserResult } from "../../src/core/world.ts";
import type { ComposeOverrides } from "../../src/credential/compose.ts";
import type { OidcAuthOptions, PromptEvent } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { approveDevice, signIn, visit } from "../support/scripted-browser.ts";
import { change, desk, refusal, type Desk } from "./fast-desk.ts";
import { emptyHome, failureOf, provider } from "./harness.ts";

/** Somebody at a terminal where no browser opens. */
async function withoutBrowser(
  act: (event: PromptEvent, identityProvider: IdentityProvider) => void,
  options: OidcAuthOptions = {},
  overrides: ComposeOverrides = {},
): Promise<Desk & { identityProvider: IdentityProvider; events: PromptEvent[] }> {
  emptyHome();
  const identityProvider = await provider();
  const events: PromptEvent[] = [];
  const made = desk(
    identityProvider,
    {
      flow: "auto",
      openBrowser: true,
      onPrompt: (event) => {
        events.push(event);
        act(event, identityProvider);
      },
      ...options,
    },
    {
      terminal: true,
      openBrowser: async () => ({ opened: false, problem: "SSH session" }),
      ...overrides,
    },
  );
  return { ...made, identityProvider, events };
}

function enterCode(event: DeviceCodeEvent, deny = false): void {
  void approveDevice(event.verificationUri, { userCode: event.userCode, deny });
}

function typesOf(events: readonly PromptEvent[]): readonly string[] {
  return events.map((event) => (event.type === "warning" ? event.code : event.type));
}

/** True where somebody else can listen at the address of a redirect URI. */
async function isFree(redirectUri: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(Number(new URL(redirectUri).port), "127.0.0.1", () =>
      server.close(() => resolve(true)),
    );
  });
}

test("no browser opens: the code is offered beside the address, and the code is first", async () => {
  const on = await withoutBrowser((event) => {
    if (event.type === "deviceCode") enterCode(event);
  });
  expect((await on.session.getToken()).source).toBe("login");
  expect(typesOf(on.events)).toEqual(["authorizationUrl", "deviceCode", "settled"]);
  expect(on.events[1]).toMatchObject({ besideBrowser: true });
  const [shown] = on.events;
  expect(await isFree(shown?.type === "authorizationUrl" ? shown.redirectUri : "")).toBe(true);
});

test("no browser opens: the address is first, by its redirect or pasted, and the polls end", async () => {
  for (const how of ["redirect", "paste"] as const) {
    const on = await withoutBrowser((event) => {
      if (event.type !== "authorizationUrl") return;
      // The listener takes the redirect; an address that is pasted late is that of a sign-in that is over.
      void signIn(event.url).then(({ redirectUrl }) => {
        if (how === "paste") event.paste(redirectUrl);
      });
    });
    expect((await on.session.getToken()).source).toBe("login");
    const polls = on.identityProvider.requests().token;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(on.identityProvider.requests().token).toBe(polls);
    expect(typesOf(on.events)).not.toContain("sign_in_way_ended");
  }
});

test("a code that is refused does not end the browser's way, and is told", async () => {
  let url = "";
  const on = await withoutBrowser((event) => {
    if (event.type === "authorizationUrl") ({ url } = event);
    if (event.type === "deviceCode") enterCode(event, true);
    if (event.type === "warning") void signIn(url);
  });
  expect((await on.session.getToken()).source).toBe("login");
  expect(typesOf(on.events)).toEqual([
    "authorizationUrl",
    "deviceCode",
    "sign_in_way_ended",
    "settled",
  ]);
});

test("a browser sign-in that is refused does not end the code's way, and its tab says so", async () => {
  let page: Promise<{ finalPage: string }> | undefined;
  let code: DeviceCodeEvent | undefined;
  const on = await withoutBrowser((event) => {
    if (event.type === "authorizationUrl") page = signIn(event.url, { deny: true });
    if (event.type === "deviceCode") code = event;
    if (code !== undefined && event.type === "warning") enterCode(code);
  });
  expect((await on.session.getToken()).source).toBe("login");
  expect((await page)?.finalPage).toContain("Sign-in was refused");
});

test("both ways end by themselves: the refusal is the outcome", async () => {
  const on = await withoutBrowser(
    (event) => {
      if (event.type === "deviceCode") enterCode(event, true);
    },
    { callbackTimeoutSeconds: 20 },
  );
  expect((await failureOf(on.session.getToken())).code).toBe("access_denied");
});

test("a provider that refuses the device request leaves the browser's way alone, without a word", async () => {
  let url = "";
  const on = await withoutBrowser((event) => {
    if (event.type === "authorizationUrl") ({ url } = event);
  });
  on.identityProvider.tamper({
    path: "device",
    respond: async () => {
      setTimeout(() => void signIn(url), 100);
      return refusal("unauthorized_client")();
    },
  });
  expect((await on.session.getToken()).source).toBe("login");
  expect(typesOf(on.events)).toEqual(["authorizationUrl", "settled"]);
  expect(on.logged).toContainEqual(
    expect.objectContaining({
      name: "login.way_ended",
      data: expect.objectContaining({ code: "token_request_failed" }),
    }),
  );
});

test("an answer from another issuer ends both ways: no code is taken any more [A03][V07]", async () => {
  let url = "";
  const on = await withoutBrowser((event) => {
    if (event.type === "authorizationUrl") ({ url } = event);
    if (event.type !== "deviceCode") return;
    const request = new URL(url).searchParams;
    const answer = new URL(request.get("redirect_uri") ?? "");
    answer.search = new URLSearchParams({
      code: "stolen",
      state: request.get("state") ?? "",
      iss: "https://evil.example",
    }).toString();
    get(answer, (response) => void response.resume());
  });
  const error = await failureOf(on.session.getToken());
  expect([error.code, error.reason]).toEqual(["callback_invalid", "iss_mismatch"]);
  const polls = on.identityProvider.requests().token;
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(on.identityProvider.requests().token).toBe(polls);
});

test("a hostile verification address ends both ways [V05]", async () => {
  const on = await withoutBrowser(() => undefined);
  change(on.identityProvider, "device", { verification_uri: "ftp://evil.example" });
  expect((await failureOf(on.session.getToken())).code).toBe("endpoint_invalid");
  expect(typesOf(on.events)).toEqual(["authorizationUrl", "settled"]);
});

/** A browser that comes, and whose person signs in by hand. */
async function openAndFetch(address: string): Promise<BrowserResult> {
  await new Promise((resolve) => get(address, (response) => resolve(response.resume())));
  return { opened: true };
}

const alone: readonly [string, OidcAuthOptions, ComposeOverrides][] = [
  ["a browser that opens", {}, { openBrowser: openAndFetch }],
  [
    "openBrowser: false where there is a browser",
    { openBrowser: false },
    { whyNoBrowser: async () => undefined },
  ],
  ["no terminal", {}, { terminal: false }],
  ['flow: "auth_code"', { flow: "auth_code" }, {}],
];

test.for(alone)("no code is offered beside the browser with %s", async ([, options, overrides]) => {
  const on = await withoutBrowser(
    (event) => {
      if (event.type === "authorizationUrl") void signIn(event.url);
    },
    options,
    overrides,
  );
  expect((await on.session.getToken()).source).toBe("login");
  expect(on.identityProvider.requests().device).toBe(0);
});

test("[F-U2] openBrowser: false where there is no browser offers all that a missing browser does", async () => {
  const on = await withoutBrowser(
    (event) => {
      if (event.type === "deviceCode") enterCode(event);
    },
    { openBrowser: false },
    { whyNoBrowser: async () => "SSH session" },
  );
  expect((await on.session.getToken()).source).toBe("login");
  expect(on.events[0]).toMatchObject({ browserOpened: false, browserProblem: "SSH session" });
  expect(typesOf(on.events)).toEqual(["authorizationUrl", "deviceCode", "settled"]);
});

test("[F-T10] a browser that was started and never came: pasting and the code are offered after all", async () => {
  let addresses = 0;
  const on = await withoutBrowser(
    (event) => {
      if (event.type === "authorizationUrl") addresses += 1;
      if (event.type === "deviceCode") enterCode(event);
    },
    {},
    { openBrowser: async () => ({ opened: true }) },
  );
  expect((await on.session.getToken()).source).toBe("login");
  expect(addresses).toBe(2);
  expect(on.events.slice(0, 2)).toMatchObject([
    { browserOpened: true },
    { browserOpened: false, browserProblem: "nothing has opened so far" },
  ]);
  expect(typesOf(on.events).slice(2)).toEqual(["deviceCode", "settled"]);
});

test("[F-T10] a browser that comes late, when other ways are offered already, still signs in", async () => {
  let start = "";
  const on = await withoutBrowser(
    (event) => {
      if (event.type === "deviceCode") void visit(start, { fromStart: true });
    },
    {},
    {
      openBrowser: async (address) => {
        start = address;
        return { opened: true };
      },
    },
  );
  expect((await on.session.getToken()).source).toBe("login");
  expect(on.identityProvider.requests().device).toBe(1);
});

test("[F-T10] a refusal in the browser ends the sign-in where no other way has begun", async () => {
  const on = await withoutBrowser(
    () => undefined,
    {},
    {
      openBrowser: async (address) => {
        await visit(address, { fromStart: true, deny: true });
        return { opened: true };
      },
    },
  );
  expect((await failureOf(on.session.getToken())).code).toBe("access_denied");
  expect(on.identityProvider.requests().device).toBe(0);
});

test("where nobody is present neither a browser nor a code is offered", async () => {
  const on = await withoutBrowser(() => undefined, {}, { canPrompt: false });
  expect((await failureOf(on.session.login())).code).toBe("login_required");
  expect(on.identityProvider.requests().device).toBe(0);
  expect(typesOf(on.events)).not.toContain("authorizationUrl");
});
