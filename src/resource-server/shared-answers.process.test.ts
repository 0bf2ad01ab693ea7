// Servers that share what a provider said, by a Redis that runs: one of them asks for all.
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnsweringIssuer, type AnsweringIssuer } from "../../test/support/answering-issuer.ts";
import {
  activeAnswer,
  askingServer,
  outageOf,
  reasonOf,
} from "../../test/support/asking-server.ts";
import { expectNoSecrets } from "../../test/support/canary.ts";
import { needs } from "../../test/support/debian-packages.ts";
import { startRedis, type RedisServer } from "../../test/support/redis-server.ts";
import { redisAnswers, type RedisSharedAnswers } from "../credential/redis-answers.ts";
import { json } from "../testing/http-server.ts";
import type {
  ResourceServer,
  ResourceServerEvent,
  ResourceServerOptions,
} from "./resource-server-types.ts";

const redis = needs("redis");
const key = randomBytes(32);
let server: RedisServer;
let issuer: AnsweringIssuer;
const opened: RedisSharedAnswers[] = [];

beforeAll(async () => {
  issuer = await startAnsweringIssuer(() => json(200, activeAnswer(issuer)));
  if (redis.available) server = await startRedis();
});
afterAll(async () => {
  await Promise.all(opened.map((answers) => answers.close()));
  await server?.close();
  await issuer.close();
});
beforeEach(() => {
  issuer.answer(() => json(200, activeAnswer(issuer)));
});

let prefixes = 0;

type Options = Partial<ResourceServerOptions>;

/** Servers of one fleet, by what each has for itself, with connections that are made already. */
async function fleet(...options: readonly Options[]): Promise<readonly ResourceServer[]> {
  const prefix = `test${String((prefixes += 1))}`;
  const servers = await Promise.all(
    options.map(async (own, index) => {
      const sharedAnswers = redisAnswers({ url: server.url, key, prefix });
      opened.push(sharedAnswers);
      await sharedAnswers.look(`warm-up ${String(index)}`, 1);
      return askingServer(issuer, { sharedAnswers, ...own });
    }),
  );
  issuer.asked.length = 0;
  return servers;
}

/** Until what the server was told is in Redis: its own request does not wait for that. */
async function kept(): Promise<void> {
  const answers = (): unknown[] =>
    server
      .cli("--raw", "keys", `test${String(prefixes)}:answers:*`)
      .split("\n")
      .filter((name) => server.cli("hexists", name, "s") === "1");
  await expect.poll(answers, { interval: 10 }).not.toEqual([]);
}

async function pairOf(...options: readonly Options[]): Promise<[ResourceServer, ResourceServer]> {
  const [first, second] = await fleet(...options);
  if (first === undefined || second === undefined) throw new Error("two servers were asked for");
  return [first, second];
}

describe.skipIf(!redis.available)("servers with one Redis", () => {
  test("1,000 requests at four servers with one new token are one introspection", async () => {
    const servers = await fleet({}, {}, {}, {});
    const identities = await Promise.all(
      Array.from({ length: 250 }, () => servers.map((each) => each.verify("opaque"))).flat(),
    );
    expect(new Set(identities.map(({ subject }) => subject))).toEqual(new Set(["alice"]));
    expect(issuer.asked).toHaveLength(1);
  });

  test("each judges what it hears by its own settings", async () => {
    const [first, other] = await pairOf({}, { audience: "https://other.example.com" });
    expect((await first.verify("opaque")).subject).toBe("alice");
    await kept();
    expect(await reasonOf(other)).toBe("audience");
    expect(issuer.asked).toHaveLength(1);
  });

  test("a refusal is shared, an outage is not", async () => {
    const [first, second] = await pairOf({}, {});
    issuer.answer(() => json(500, {}));
    await outageOf(first);
    await outageOf(second);
    expect(issuer.asked).toHaveLength(2);
    issuer.answer(() => json(200, { active: false }));
    expect(await reasonOf(first)).toBe("inactive");
    await kept();
    expect(await reasonOf(second)).toBe("inactive");
    expect(issuer.asked).toHaveLength(3);
  });

  test("[K11] what is found counts for the rest of its time alone, and says so", async () => {
    const ask = { validationMode: "userinfo", allowUnboundAudience: true } as const;
    const [first, second] = await pairOf(ask, ask);
    issuer.answer(() => json(200, { sub: "alice" }));
    const asked = await first.verify("opaque");
    await kept();
    const found = await second.verify("opaque");
    expect(issuer.asked).toHaveLength(1);
    // Both are the same moment, but for what rounding and the clocks of two programs take from the second one.
    expect(found.expiresAt.getTime()).toBeLessThanOrEqual(asked.expiresAt.getTime() + 1);
  });

  test.each([
    ["another client", { introspectionClientId: "other" }],
    ["another lifetime", { answerLifetimeSeconds: 10 }],
    ["none at all", { answerLifetimeSeconds: 0 }],
    ["another endpoint", "introspectionEndpoint"],
  ] as const)("a server with %s shares nothing with the others", async (_name, own) => {
    const endpoint = { introspectionEndpoint: `${issuer.issuer}/other` };
    const [first, second] = await pairOf({}, typeof own === "string" ? endpoint : own);
    await first.verify("opaque");
    await kept();
    await second.verify("opaque");
    expect(issuer.asked).toHaveLength(2);
  });

  test("[K36] in Redis no token, claim or secret can be read", async () => {
    const [first] = await pairOf({ introspectionClientSecret: "secret-of-the-api" }, {});
    const claims = { name: "Alice Canary", email: "canary@example.com" };
    issuer.answer(() => json(200, activeAnswer(issuer, claims)));
    await first.verify("opaque-canary-token");
    await kept();
    const secrets = ["opaque-canary-token", "secret-of-the-api", issuer.issuer, "Alice Canary"];
    for (const name of readdirSync(server.folder, { recursive: true, encoding: "utf8" })) {
      if (!/\.(aof|rdb)$/.test(name)) continue;
      const file = readFileSync(join(server.folder, name));
      expect(file.length === 0 || name.endsWith("rdb") || file.includes(":answers:")).toBe(true);
      expectNoSecrets(file, [...secrets, "canary@example.com", key.toString("latin1")]);
    }
  });

  test("[K36] while Redis is down each asks by itself, and says so", async () => {
    const events: ResourceServerEvent[] = [];
    const [first, second] = await pairOf({ onEvent: (event) => void events.push(event) }, {});
    await server.kill();
    try {
      expect((await first.verify("opaque")).subject).toBe("alice");
      expect((await second.verify("opaque")).subject).toBe("alice");
      issuer.answer(() => json(200, { active: false }));
      expect(await reasonOf(first, "another")).toBe("inactive");
      expect(issuer.asked).toHaveLength(3);
      const unavailable = events.filter(({ type }) => type === "shared");
      expect(unavailable).toMatchObject([
        { outcome: "unavailable", reason: "unreachable", mode: "introspection" },
        { outcome: "unavailable", reason: "left_alone" },
      ]);
      expect(JSON.stringify(events)).not.toMatch(/opaque|another|alice/);
    } finally {
      await server.start();
    }
  });
});
