// The device flow alone, against a real OpenID Provider.

import { expect, onTestFinished, test } from "vitest";
import type { LatchkeyEvent } from "../../src/index.ts";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { createFastClock, recordSleeps } from "../support/fast-clock.ts";
import { change, desk, refusal } from "./fast-desk.ts";
import { emptyHome, failureOf, person, provider } from "./harness.ts";

/** What came of each poll, and after how many seconds the next one was to follow. */
function pollsIn(logged: readonly LatchkeyEvent[]): readonly (readonly [string, number])[] {
  return logged.flatMap((event) =>
    event.name === "device.polled" ? [[event.data.outcome, event.data.nextInSeconds] as const] : [],
  );
}

test("a code signs in: one device request, polls, a refresh of one request, and nothing in between", async () => {
  emptyHome();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  const trusting = { caCertPath: authority.caPath };
  const slept: number[] = [];
  const clock = recordSleeps(createFastClock(20), slept);
  const { session, someone, logged } = desk(identityProvider, trusting, { clock });
  const token = await session.getToken();
  expect([token.source, token.claims?.sub]).toEqual(["login", "alice"]);
  expect(identityProvider.requests()).toMatchObject({
    discovery: 1,
    device: 1,
    jwks: 1,
    authorization: 0,
  });
  // However long the person took: before each poll 5 seconds, and a fifth of them as a margin.
  const polls = pollsIn(logged);
  expect(identityProvider.requests().token).toBe(polls.length);
  expect(polls).toEqual([...polls.slice(1).map(() => ["pending", 6]), ["granted", 0]]);
  expect(slept.filter((milliseconds) => milliseconds === 6000)).toHaveLength(polls.length);
  expect(someone.events.map((event) => event.type)).toEqual(["deviceCode", "settled"]);

  identityProvider.resetRequests();
  expect((await desk(identityProvider, trusting).session.getToken()).source).toBe("cache");
  expect(identityProvider.requests().total).toBe(0);
  const renewed = await desk(identityProvider, trusting).session.getToken({ forceRefresh: true });
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
  expect(identityProvider.tokenRequests().every((poll) => poll.get("audience") === "urn:api")).toBe(
    true,
  );
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
  expect(someone.events.at(-1)).toMatchObject({
    type: "settled",
    error: { code: "access_denied" },
  });
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
  expect(pollsIn(logged).slice(0, 3)).toEqual([
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
  expect(someone.events.at(-1)).toMatchObject({
    type: "settled",
    error: { code: "device_code_expired" },
  });
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
    expect([error.code, error.message.includes("a token endpoint (discovery)")]).toEqual([
      "no_interactive_flow",
      true,
    ]);
  }
});
