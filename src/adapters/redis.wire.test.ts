// The real client and a real server that knows tokens as passwords.

import { setTimeout as pause } from "node:timers/promises";
import { createClient, type RedisClientType } from "redis";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { needs } from "../../test/support/debian-packages.ts";
import { startRedis, type RedisServer } from "../../test/support/redis-server.ts";
import { OidcAuth } from "../index.ts";
import { startTestProvider } from "../testing/index.ts";
import { credentialsProvider, type CredentialsProviderSettings } from "./redis.ts";

const redis = needs("redis");
let server: RedisServer;

beforeAll(async () => {
  if (redis.available) server = await startRedis();
});
afterAll(() => server?.close());

async function desk(settings: CredentialsProviderSettings = {}) {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  const admin = createClient({ url: server.url });
  await admin.connect();
  onTestFinished(async () => {
    await admin.sendCommand(["ACL", "SETUSER", "default", "nopass"]);
    admin.destroy();
  });
  /** The server takes these tokens, and no others. */
  const accept = async (user: string, ...tokens: readonly string[]): Promise<void> => {
    const passwords = tokens.map((token) => `>${token}`);
    await admin.sendCommand(["ACL", "SETUSER", user, "on", "resetpass", "+@all", ...passwords]);
  };
  const authentications = async (): Promise<number> => {
    const statistics = await admin.info("commandstats");
    const count = (name: string): number =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0);
    return count("auth") + count("hello");
  };
  const credentials = credentialsProvider(auth, settings);
  const newClient = (): RedisClientType => {
    const client: RedisClientType = createClient({
      url: server.url,
      credentialsProvider: credentials,
      socket: { reconnectStrategy: false },
    });
    client.on("error", () => undefined);
    onTestFinished(() => {
      if (client.isReady) client.destroy();
    });
    return client;
  };
  return { provider, auth, accept, authentications, credentials, newClient };
}

test.skipIf(!redis.available)("the token is the password, of the user that is named", async () => {
  const { auth, accept, newClient } = await desk({ username: "alice" });
  await accept("alice", (await auth.getToken()).token);
  const client = newClient();
  await client.connect();
  expect(await client.sendCommand(["ACL", "WHOAMI"])).toBe("alice");
});

test.skipIf(!redis.available)("a new token goes to the connection that is open", async () => {
  const { provider, auth, accept, authentications, newClient } = await desk();
  const { token: first } = await auth.getToken();
  await accept("default", first);
  await newClient().connect();
  const before = await authentications();

  provider.endAccessTokens();
  const renewed = await auth.getToken({ rejectedToken: first });
  expect(renewed.token).not.toBe(first);
  await vi.waitUntil(async () => (await authentications()) > before, { timeout: 20_000 });
  // What the server did not know was refused there, so another one was fetched.
  await vi.waitUntil(() => provider.requests().token > 2, { timeout: 20_000 });
});

test.skipIf(!redis.available)("a token that was refused is not given again", async () => {
  const { provider, auth, accept, credentials, newClient } = await desk();
  const { token: first } = await auth.getToken();
  await accept("default", "another");
  const listener = { onNext: () => undefined, onError: () => undefined };
  const [before] = await credentials.subscribe(listener);
  credentials.refused();
  const [after] = await credentials.subscribe(listener);
  expect(before.password).toBe(first);
  expect(after.password).not.toBe(first);
  await accept("default", after.password);
  const client = newClient();
  await client.connect();
  expect(await client.ping()).toBe("PONG");
  expect(provider.requests().token).toBe(2);
});

test.skipIf(!redis.available)(
  "whoever listens is told why no other token is to be had",
  async () => {
    const { provider, auth, credentials } = await desk();
    await auth.getToken();
    const told = new Promise<Error>((resolve) => {
      void credentials.subscribe({ onNext: () => undefined, onError: resolve });
    });
    await pause(0);
    provider.endSignIns();
    provider.setPersonAnswer("refuses");
    credentials.onReAuthenticationError(new Error("refused"));
    expect(await told).toMatchObject({ code: "access_denied" });
  },
);
