// The real driver, against a server that takes what a real provider made.

import { MongoClient } from "mongodb";
import { expect, onTestFinished, test } from "vitest";
import { startMongodbServer } from "../../test/support/mongodb-server.ts";
import { OidcAuth } from "../index.ts";
import { startTestProvider, type TestProvider } from "../testing/index.ts";
import { oidcCallback } from "./mongodb.ts";

async function desk(lifetime = 3600) {
  const provider = await startTestProvider({ tokenLifetimeSeconds: lifetime });
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  const server = await startMongodbServer(provider.accepts);
  onTestFinished(() => server.close());
  const connect = (
    property: "OIDC_CALLBACK" | "OIDC_HUMAN_CALLBACK" = "OIDC_CALLBACK",
  ): MongoClient => {
    const client = new MongoClient(server.url, {
      authMechanismProperties: { [property]: oidcCallback(auth) },
      serverSelectionTimeoutMS: 10_000,
      maxPoolSize: 1,
    });
    onTestFinished(() => client.close());
    return client;
  };
  return { provider, auth, server, connect };
}

const ping = (client: MongoClient): Promise<unknown> => client.db("admin").command({ ping: 1 });
const requests = (provider: TestProvider): number => provider.requests().token;

test.each(["OIDC_CALLBACK", "OIDC_HUMAN_CALLBACK"] as const)(
  "%s: one sign-in, and the driver's own cache serves the next command",
  async (property) => {
    const { provider, server, connect } = await desk();
    const client = connect(property);
    await ping(client);
    await ping(client);
    expect(server.tokens.map(({ isTaken }) => isTaken)).toEqual([true]);
    expect(requests(provider)).toBe(1);
  },
);

test("a token that the server refuses is renewed once, and the command goes on", async () => {
  const { provider, auth, server, connect } = await desk();
  const client = connect();
  await ping(client);
  const { token: first } = await auth.getToken();
  provider.endAccessTokens();
  server.endSessions();
  await ping(client);
  const last = server.tokens.at(-1);
  expect(last?.isTaken).toBe(true);
  expect(last?.token).not.toBe(first);
  expect(requests(provider)).toBe(2);
});

test("a first token that is refused already is renewed", async () => {
  const { provider, auth, server, connect } = await desk();
  const { token: first } = await auth.getToken();
  provider.endAccessTokens();
  const client = connect();
  // The driver gives up a connection whose first token is refused, and asks again for the next one.
  await ping(client).catch(() => undefined);
  await ping(client);
  expect(server.tokens.at(0)).toEqual({ token: first, isTaken: false });
  expect(server.tokens.at(-1)?.isTaken).toBe(true);
  expect(requests(provider)).toBe(2);
});

test("a question soon after a refusal renews nothing: clients that share a callback make no storm", async () => {
  const { provider, auth } = await desk();
  const ask = oidcCallback(auth);
  const parameters = { timeoutContext: new AbortController().signal };
  const first = await ask(parameters);
  const second = await ask(parameters);
  const third = await ask(parameters);
  expect(second.accessToken).not.toBe(first.accessToken);
  expect(third.accessToken).toBe(second.accessToken);
  expect(requests(provider)).toBe(2);
  expect(Object.keys(first)).toEqual(["accessToken", "expiresInSeconds"]);
  expect(first.expiresInSeconds).toBeGreaterThan(3500);
});

test("the driver's time ends the wait", async () => {
  const { auth } = await desk();
  const signal = AbortSignal.abort(new Error("too late"));
  await expect(oidcCallback(auth)({ timeoutContext: signal })).rejects.toMatchObject({
    code: "aborted",
  });
});
