// The life of a credential in a program: login, status, the end, and surroundings that somebody tampered with.

import { expect, test } from "vitest";
import { inspect } from "node:util";
import { OidcAuth, OidcCredentialsAuth, type PromptEvent } from "../../src/index.ts";
import { expectNoSecrets } from "../support/canary.ts";
import { polluteObjects } from "../support/polluted-prototype.ts";
import {
  credential,
  desktop,
  emptyHome,
  failureOf,
  person,
  pollQuickly,
  provider,
} from "./harness.ts";

test("login signs in anew and says who; status needs no request and no provider [F-U13][F-U7]", async () => {
  emptyHome();
  const identityProvider = await provider({ namesInIdToken: false });
  const auth = credential(identityProvider);
  expect(await auth.status()).toBeUndefined();
  expect(identityProvider.requests().total).toBe(0);
  const first = await auth.login();
  expect(first).toMatchObject({
    issuer: identityProvider.issuer,
    server: undefined,
    clientId: identityProvider.clients.public.clientId,
    subject: "alice",
    name: "Alice Example",
    scopes: expect.arrayContaining(["openid", "profile", "email"]),
    refreshable: true,
    storeLevel: "file-permissions",
  });
  await auth.login();
  expect(identityProvider.requests()).toMatchObject({ authorization: 2, userinfo: 2 });
  await identityProvider.close();
  const status = await credential(identityProvider).status();
  expect(status).toMatchObject({ name: "Alice Example", expiresAt: expect.any(Date) });
  const { token } = await auth.getToken();
  expectNoSecrets(inspect(status, { showHidden: true, getters: true }), [token]);
});

test("await using closes: the sign-in that waits ends with aborted (closed), its port is free [F-U13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person({ idle: true });
  const auth = new OidcAuth({ ...desktop(identityProvider, someone), callbackPort: 0 });
  const waiting = failureOf(auth.getToken());
  while (someone.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [shown] = someone.events;
  await auth[Symbol.asyncDispose]();
  const error = await waiting;
  expect([error.code, error.reason]).toEqual(["aborted", "closed"]);
  expect(someone.events.at(-1)?.type).toBe("settled");
  if (shown?.type !== "authorizationUrl") throw new Error("nothing was shown");
  await expect(fetch(shown.redirectUri)).rejects.toThrow(TypeError);
  for (const call of [
    auth.getToken(),
    auth.login(),
    auth.status(),
    auth.logout(),
    auth.userInfo(),
  ]) {
    expect((await failureOf(call)).reason).toBe("closed");
  }
});

test("closing one credential leaves its sign-in to the next one, of client credentials too [F-U13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const options = { issuer: identityProvider.issuer, clientId, clientSecret };
  for (const make of [() => credential(identityProvider), () => new OidcCredentialsAuth(options)]) {
    const { token } = await make().getToken();
    const closed = make();
    await closed.close();
    expect((await failureOf(closed.getToken())).reason).toBe("closed");
    const next = await make().getToken();
    expect([next.token, next.source]).toEqual([token, "cache"]);
  }
});

test("with a polluted Object.prototype a sign-in goes where its own options say [F-S15][P05]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const evil = await provider();
  const started: unknown[] = [];
  const values: Readonly<Record<string, unknown>> = {
    tokenEndpoint: `${evil.issuer}/token`,
    authorizationEndpoint: `${evil.issuer}/auth`,
    deviceAuthorizationEndpoint: `${evil.issuer}/device`,
    browserCommand: "/bin/false",
    loginHint: "evil",
    extraAuthorizationParams: { evil: "1" },
    furtherResources: ["urn:evil"],
    openBrowser: true,
    defaultPrompt: () => started.push("defaultPrompt"),
    rejectedToken: "evil",
  };
  const clean = polluteObjects(values);
  const auth = credential(identityProvider);
  const { source } = await auth.getToken();
  const { source: renewed } = await auth.getToken({ forceRefresh: true });
  clean();
  expect([source, renewed, started, evil.requests().total]).toEqual(["login", "refresh", [], 0]);
  const sent = [...identityProvider.authorizationRequests(), ...identityProvider.tokenRequests()];
  expect(sent.map(String).join("\n")).not.toMatch(/evil/);
});

test("what prompts are told shows no code, verifier or token, only what a person needs [F-S20][I1]", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  const events: PromptEvent[] = [];
  for (const flow of ["auth_code", "device"] as const) {
    const someone = person();
    const auth = credential(identityProvider, {
      flow,
      onPrompt: (event) => {
        events.push(event);
        someone.onPrompt(event);
      },
    });
    await auth.login();
  }
  expect(events.map(({ type }) => type)).toEqual([
    "authorizationUrl",
    "settled",
    "deviceCode",
    "settled",
  ]);
  const needed = events.flatMap((event) =>
    event.type === "deviceCode"
      ? [event.userCode]
      : event.type === "authorizationUrl"
        ? ["state", "nonce"].map((name) => new URL(event.url).searchParams.get(name) ?? "")
        : [],
  );
  const secrets = [...identityProvider.secretsIssued(), ...identityProvider.secretsReceived()];
  expect(secrets.length).toBeGreaterThan(6);
  expectNoSecrets(inspect(events, { depth: 12, showHidden: true, getters: true }), secrets, needed);
});
