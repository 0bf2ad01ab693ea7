// kafkajs and a real Kafka broker, with tokens of a real provider.

import { setTimeout as pause } from "node:timers/promises";
import kafkajs, { type Kafka, type Producer } from "kafkajs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { oauthBearerProvider, type OauthBearerProvider } from "../../src/adapters/kafka.ts";
import { memoryStore, OidcCredentialsAuth } from "../../src/index.ts";
import { needs } from "../support/debian-packages.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { startKafkaBroker, type KafkaBroker } from "../support/kafka-broker.ts";

const java = needs("java");
const maven = needs("maven");
const canRun = java.available && maven.available;

let identityProvider: IdentityProvider;
let broker: KafkaBroker;

beforeAll(async () => {
  if (!canRun) return;
  identityProvider = await startIdentityProvider({ jwtAccessTokens: true });
  const keys = await (await fetch(`${identityProvider.issuer}/jwks`)).text();
  broker = await startKafkaBroker(identityProvider.issuer, keys, "urn:demo:api");
});
afterAll(async () => {
  await broker?.close();
  await identityProvider?.close();
});

function machine(): OidcCredentialsAuth {
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const auth = new OidcCredentialsAuth({
    issuer: identityProvider.issuer,
    clientId,
    clientSecret,
    store: memoryStore(),
  });
  onTestFinished(() => auth.close());
  return auth;
}

function clientOf(provider: OauthBearerProvider): Kafka {
  return new kafkajs.Kafka({
    clientId: "tests",
    brokers: [broker.address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
    sasl: { mechanism: "oauthbearer", oauthBearerProvider: provider },
  });
}

async function connected(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer();
  onTestFinished(() => producer.disconnect());
  await producer.connect();
  return producer;
}

test.skipIf(!canRun)("kafkajs sends and receives with one token", async () => {
  identityProvider.resetRequests();
  const kafka = clientOf(oauthBearerProvider(machine()));
  const producer = await connected(kafka);
  await producer.send({ topic: "letters", messages: [{ value: "a message" }] });
  const consumer = kafka.consumer({ groupId: "readers" });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: "letters", fromBeginning: true });
  const received = new Promise<string | undefined>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => resolve(message.value?.toString()),
    });
  });
  expect(await received).toBe("a message");
  expect(identityProvider.requests().token).toBe(1);
});

test.skipIf(!canRun)("kafkajs renews a token that ends while the connection is open", async () => {
  identityProvider.resetRequests();
  // kafkajs asks again from ten seconds before the end that the broker was told.
  identityProvider.setAccessTokenLifetime(16);
  onTestFinished(() => identityProvider.setAccessTokenLifetime(3600));
  const producer = await connected(clientOf(oauthBearerProvider(machine())));
  const send = (value: string): Promise<unknown> =>
    producer.send({ topic: "letters", messages: [{ value }] });
  await send("first");
  const before = identityProvider.requests().token;
  while (identityProvider.requests().token === before) {
    await pause(300);
    await send("another");
  }
  expect(await send("last")).toEqual([expect.objectContaining({ errorCode: 0 })]);
});

test.skipIf(!canRun)("a token that the broker refuses is not given again", async () => {
  const real = machine();
  const given: string[] = [];
  const provider = oauthBearerProvider({
    getToken: async (options = {}) => {
      const good = await real.getToken();
      const token = options.rejectedToken === undefined ? "no token of the issuer" : good.token;
      given.push(token);
      return { ...good, token };
    },
  });
  const kafka = clientOf(provider);
  await expect(kafka.producer().connect()).rejects.toThrow(/SASL|authentication|JWT/i);
  provider.refused();
  const producer = await connected(kafka);
  await producer.send({ topic: "letters", messages: [{ value: "after all" }] });
  expect(given.at(-1)).toBe((await real.getToken()).token);
});
