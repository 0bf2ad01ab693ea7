// The device flow against a real OpenID Provider: alone, and beside a browser that did not open. Time passes 20 times as
// fast, so that the provider's 5 seconds between polls take a quarter of one.

import { createServer, get } from "node:http";
import { onTestFinished, expect, test } from "vitest";
import { compose, type ComposeOverrides } from "../../src/credential/compose.ts";
import type { DeviceCodeEvent } from "../../src/core/prompt.ts";
import type { LatchkeyEvent, OidcAuthOptions, PromptEvent } from "../../src/index.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { Session } from "../../src/session/session-types.ts";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { createFastClock } from "../support/fast-clock.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { GenuineAnswer } from "../support/provider-tampering.ts";
import { approveDevice, signIn } from "../support/scripted-browser.ts";
import { desktop, emptyHome, failureOf, person, provider, type Person } from "./harness.ts";

interface Desk {
  readonly session: Session;
  readonly someone: Person;
  readonly logged: LatchkeyEvent[];
}

/** A session in fast time; limits are wide, so that only what a test is about runs out. */
function desk(
  identityProvider: IdentityProvider,
  options: OidcAuthOptions = {},
  overrides: ComposeOverrides = {},
  someone: Person = person({
    ...(identityProvider.certificateAuthority === undefined
      ? {}
      : { certificateAuthority: identityProvider.certificateAuthority }),
  }),
): Desk {
  const logged: LatchkeyEvent[] = [];
  const resolved = resolveOptions(
    {
      ...desktop(identityProvider, someone),
      flow: "device",
      httpTimeoutSeconds: 600,
      callbackTimeoutSeconds: 600,
      logger: (event: LatchkeyEvent) => logged.push(event),
      ...options,
    },
    "interactive",
  );
  const { session } = compose(resolved, { clock: createFastClock(20), ...overrides });
  return { session, someone, logged };
}

/** Changes members of a JSON answer of the provider. */
function change(
  identityProvider: IdentityProvider,
  path: "device" | "discovery",
  members: Readonly<Record<string, unknown>>,
): void {
  identityProvider.tamper({
    path,
    respond: async (_request, genuine) => {
      const real = await genuine();
      return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), ...members }) };
    },
  });
}

function refusal(error: string): () => Promise<GenuineAnswer> {
  return async () => ({
    status: 400,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ error }),
  });
}

function outcomes(logged: readonly LatchkeyEvent[]): readonly string[] {
  return logged.flatMap((event) => (event.name === "device.polled" ? [event.data.outcome] : []));
}

test("a code signs in: one device request, polls, a refresh of one request, and nothing in between", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { session, someone } = desk(identityProvider);
  const token = await session.getToken();
  expect([token.source, token.claims?.sub]).toEqual(["login", "alice"]);
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, device: 1, jwks: 1, authorization: 0 });
  expect(identityProvider.requests().token).toBeLessThanOrEqual(2);
  expect(someone.events.map((event) => event.type)).toEqual(["deviceCode", "settled"]);

  identityProvider.resetRequests();
  expect((await desk(identityProvider).session.getToken()).source).toBe("cache");
  expect(identityProvider.requests().total).toBe(0);
  const renewed = await desk(identityProvider).session.getToken({ forceRefresh: true });
  expect(renewed.source).toBe("refresh");
  expect(identityProvider.requests()).toMatchObject({ token: 1, total: 1 });
});

test("a confidential client signs in with a code", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { confidentialBasic } = identityProvider.clients;
  const token = await desk(identityProvider, confidentialBasic).session.getToken();
  expect(token.claims?.aud).toBe(confidentialBasic.clientId);
  const [request] = identityProvider.requestsOf("device");
  expect(request?.headers.authorization).toMatch(/^Basic /);
});

test("a provider with a private certificate authority: trusted for every request of the flow [S02]", async () => {
  emptyHome();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  const refused = await failureOf(desk(identityProvider).session.getToken());
  expect([refused.code, identityProvider.requests().total]).toEqual(["tls", 0]);
  const { session } = desk(identityProvider, { caCertPath: authority.caPath });
  expect((await session.getToken()).source).toBe("login");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, device: 1, jwks: 1 });
});

test("audience: goes into the device request and into each poll", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  await desk(identityProvider, { audience: "urn:api" }).session.getToken();
  const [request] = identityProvider.requestsOf("device");
  expect(new URLSearchParams(request?.body).get("audience")).toBe("urn:api");
  expect(identityProvider.tokenRequests().every((poll) => poll.get("audience") === "urn:api")).toBe(true);
});

test("a person who refuses the code is access_denied, and no poll follows [V04]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { session, someone } = desk(identityProvider, {}, {}, person({ deny: true }));
  const error = await failureOf(session.getToken());
  expect([error.code, error.providerError]).toEqual(["access_denied", "access_denied"]);
  const polls = identityProvider.requests().token;
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(identityProvider.requests().token).toBe(polls);
  expect(someone.events.at(-1)).toMatchObject({ type: "settled", error: { code: "access_denied" } });
});

test("slow_down, a gateway's 502 and a 503 with Retry-After are lived through [V01][V02]", async () => {
  emptyHome();
  const identityProvider = await provider();
  change(identityProvider, "device", { interval: 1 });
  for (const respond of [
    async () => ({ status: 503, headers: { "retry-after": "2" }, body: "" }),
    async () => ({ status: 502, headers: {}, body: "<html>Bad gateway</html>" }),
    refusal("slow_down"),
  ]) {
    identityProvider.tamper({ path: "token", times: 1, respond });
  }
  const { session, logged } = desk(identityProvider);
  expect((await session.getToken()).source).toBe("login");
  const waits = logged.flatMap((event) =>
    event.name === "device.polled" ? [[event.data.outcome, event.data.nextInSeconds]] : [],
  );
  expect(waits.slice(0, 3)).toEqual([
    ["slow_down", 8.4],
    ["unreachable", 16.8],
    ["unreachable", 33.6],
  ]);
});

test("a code that nobody enters expires [V03]", async () => {
  emptyHome();
  const identityProvider = await provider();
  change(identityProvider, "device", { expires_in: 8, interval: 5 });
  const { session, someone } = desk(identityProvider, {}, {}, person({ idle: true }));
  const error = await failureOf(session.getToken());
  expect([error.code, error.retryable]).toEqual(["device_code_expired", false]);
  expect(identityProvider.requests().token).toBe(1);
  expect(someone.events.at(-1)).toMatchObject({ type: "settled", error: { code: "device_code_expired" } });
});

test("a hostile verification address: nothing is shown, opened or polled [V05]", async () => {
  emptyHome();
  const identityProvider = await provider();
  change(identityProvider, "device", { verification_uri: "http://evil.example/device" });
  const opened: string[] = [];
  const { session, someone } = desk(
    identityProvider,
    { openBrowser: true },
    {
      openBrowser: async (url) => {
        opened.push(url);
        return { opened: true };
      },
    },
  );
  const error = await failureOf(session.getToken());
  expect([error.code, error.reason]).toEqual(["endpoint_invalid", "verification_uri"]);
  expect([opened, someone.events.map((event) => event.type)]).toEqual([[], ["settled"]]);
  expect(identityProvider.requests().token).toBe(0);
});

test("nothing that is shown, logged or thrown holds the device code or a token [V08]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { inspect } = await import("node:util");
  const { session, someone, logged } = desk(identityProvider);
  await session.getToken();
  const denying = desk(identityProvider, { forceLogin: true }, {}, person({ deny: true }));
  const error = await failureOf(denying.session.getToken());
  const told = [someone.events, logged, denying.someone.events, denying.logged, error];
  expect(identityProvider.secretsIssued().length).toBeGreaterThan(2);
  expectNoSecrets(
    inspect(told, { depth: 12, showHidden: true }) + JSON.stringify(told),
    secretsOf([identityProvider]),
  );
});

test("cancel ends the wait at once, and nothing is polled afterwards [V10]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { session } = desk(identityProvider, {
    onPrompt: (event) => {
      if (event.type === "deviceCode") event.cancel();
    },
  });
  expect((await failureOf(session.getToken())).code).toBe("aborted");
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(identityProvider.requests().token).toBe(0);
});

test("where discovery offers neither way, the error says what it offered", async () => {
  emptyHome();
  const identityProvider = await provider();
  change(identityProvider, "discovery", {
    authorization_endpoint: undefined,
    device_authorization_endpoint: undefined,
  });
  for (const flow of ["auto", "device"] as const) {
    const error = await failureOf(desk(identityProvider, { flow }).session.getToken());
    expect([error.code, error.message.includes("a token endpoint (discovery)")]).toEqual(["no_interactive_flow", true]);
  }
});

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
  expect(typesOf(on.events)).toEqual(["authorizationUrl", "deviceCode", "sign_in_way_ended", "settled"]);
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
    expect.objectContaining({ name: "login.way_ended", data: expect.objectContaining({ code: "token_request_failed" }) }),
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

const alone: readonly [string, OidcAuthOptions, ComposeOverrides][] = [
  ["a browser that opens", {}, { openBrowser: async () => ({ opened: true }) }],
  ["openBrowser: false", { openBrowser: false }, {}],
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
  expect(outcomes(on.logged)).toEqual([]);
});
