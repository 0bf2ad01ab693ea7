// Sweeps everything that leaves a sign-in, good or bad, for secrets [O01][O03][O04][I1].

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  OidcAuth,
  type LatchkeyEvent,
  type OidcAuthOptions,
  type OidcError,
} from "../../src/index.ts";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { TamperRule } from "../support/provider-tampering.ts";
import { desktop, emptyHome, failureOf, person, provider } from "./harness.ts";

const json = { "content-type": "application/json" };

/** Everything of an error that a program may print, its causes included. */
function printed(error: OidcError): string {
  const parts: string[] = [];
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    parts.push(
      String(current),
      current.stack ?? "",
      JSON.stringify(current),
      JSON.stringify(Object.entries(current)),
      inspect(current, { depth: 12, showHidden: true, getters: true }),
    );
  }
  return parts.join("\n");
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

interface Sweep {
  events: LatchkeyEvent[];
  home: string;
  options: OidcAuthOptions;
}

function sweep(identityProvider: IdentityProvider, changes: OidcAuthOptions = {}): Sweep {
  const home = emptyHome();
  const events: LatchkeyEvent[] = [];
  const options = {
    ...desktop(identityProvider, person()),
    ...identityProvider.clients.confidentialBasic,
    logger: (event: LatchkeyEvent) => events.push(event),
    ...changes,
  };
  return { events, home, options };
}

function secretsIn(identityProvider: IdentityProvider): readonly string[] {
  const { confidentialBasic } = identityProvider.clients;
  return secretsOf([identityProvider], [confidentialBasic.clientSecret]);
}

test("a good sign-in, refresh, userinfo and logout tell a log nothing secret or personal, and no file but the cache has a token [O09]", async () => {
  const identityProvider = await provider();
  const { events, home, options } = sweep(identityProvider);
  const auth = new OidcAuth(options);
  await auth.getToken();
  await auth.getToken({ forceRefresh: true });
  await auth.userInfo();
  const secrets = secretsIn(identityProvider);
  expect(secrets.length).toBeGreaterThan(6);
  expectNoSecrets(JSON.stringify(events), secrets);
  expect(JSON.stringify(events)).not.toMatch(/alice/i);
  for (const path of filesBelow(home)) {
    if (path !== auth.resolvedCachePath()) expectNoSecrets(readFileSync(path), secrets);
  }
  expect(readFileSync(auth.resolvedCachePath(), "utf8")).not.toContain(options.clientSecret);
  await auth.logout({ revoke: true });
  expectNoSecrets(JSON.stringify(events), secretsIn(identityProvider));
  for (const path of filesBelow(home)) expectNoSecrets(readFileSync(path), secrets);
});

/** Answers that repeat what was sent, as a debugging proxy or a careless provider does. */
const echoes: readonly [string, TamperRule][] = [
  [
    "an error that repeats the request",
    {
      path: "token",
      respond: (request) =>
        Promise.resolve({
          status: 400,
          headers: json,
          body: JSON.stringify({
            error: "invalid_request",
            error_uri: request.body,
            debug: { ...request },
          }),
        }),
    },
  ],
  [
    "HTML that repeats the request",
    {
      path: "token",
      respond: (request) =>
        Promise.resolve({
          status: 200,
          headers: { "content-type": "text/html" },
          body: `<pre>${request.body}</pre>`,
        }),
    },
  ],
  [
    "a token answer without a lifetime and with a broken ID token [O02]",
    {
      path: "token",
      respond: async (_request, genuine) => {
        const real = await genuine();
        const { expires_in: _lifetime, ...answer } = JSON.parse(real.body);
        return {
          ...real,
          body: JSON.stringify({ ...answer, id_token: `${String(answer.id_token)}x` }),
        };
      },
    },
  ],
  ["an answer that is cut off", { path: "token", respond: () => Promise.resolve("reset") }],
  [
    "a token type that was not asked for",
    {
      path: "token",
      respond: async (_request, genuine) => {
        const real = await genuine();
        return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), token_type: "mac" }) };
      },
    },
  ],
  [
    "an access token with a line break [T18]",
    {
      path: "token",
      respond: async (_request, genuine) => {
        const real = await genuine();
        const answer = JSON.parse(real.body);
        return {
          ...real,
          body: JSON.stringify({
            ...answer,
            access_token: `${String(answer.access_token)}\r\nx: y`,
          }),
        };
      },
    },
  ],
];

test.each(echoes)("%s: neither the error nor the log shows a secret", async (_what, rule) => {
  const identityProvider = await provider();
  identityProvider.tamper(rule);
  const { events, home, options } = sweep(identityProvider);
  const error = await failureOf(new OidcAuth(options).getToken());
  expect(error.message).not.toBe("");
  const secrets = secretsIn(identityProvider);
  expectNoSecrets(printed(error), secrets);
  expectNoSecrets(JSON.stringify(events), secrets);
  for (const path of filesBelow(home)) expectNoSecrets(readFileSync(path), secrets);
});

test("a state that does not match is not shown, neither ours nor theirs [O05]", async () => {
  const identityProvider = await provider();
  const { options } = sweep(identityProvider, { callbackTimeoutSeconds: 0.4 });
  let state = "";
  const error = await failureOf(
    new OidcAuth({
      ...options,
      onPrompt: (event) => {
        if (event.type !== "authorizationUrl") return;
        state = new URL(event.url).searchParams.get("state") ?? "";
        event.paste(`${event.redirectUri}?code=canary-code&state=canary-state`);
      },
    }).getToken(),
  );
  expect(state).not.toBe("");
  for (const secret of [state, "canary-code", "canary-state"]) {
    expect(printed(error)).not.toContain(secret);
  }
});
