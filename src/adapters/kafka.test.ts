// What Kafka's clients are given, in the words of their own types.

import type { OauthbearerProviderResponse, SASLOptions } from "kafkajs";
import { expect, test } from "vitest";
import type { GetTokenOptions } from "../core/types.ts";
import { BearerTokenAuth } from "../index.ts";
import { oauthBearerProvider } from "./kafka.ts";

const end = new Date(Date.now() + 900_000);

/** Tokens t1, t2 …: another one where the last was refused. */
function desk() {
  const asked: GetTokenOptions[] = [];
  let made = 1;
  const fixed = new BearerTokenAuth({ getToken: () => ({ token: `t${made}`, expiresAt: end }) });
  return {
    asked,
    credential: {
      getToken: (options: GetTokenOptions = {}) => {
        asked.push(options);
        if (options.rejectedToken === `t${made}`) made += 1;
        return fixed.getToken(options);
      },
    },
  };
}

test("each connection is given the token that is valid then, with its end", async () => {
  const { credential, asked } = desk();
  const provider = oauthBearerProvider(credential);
  const sasl: SASLOptions = { mechanism: "oauthbearer", oauthBearerProvider: provider };
  expect(sasl.mechanism).toBe("oauthbearer");
  const given: OauthbearerProviderResponse = await provider();
  expect(given).toEqual({ value: "t1", principal: "latchkey", lifetime: end.getTime() });
  await provider();
  expect(asked).toEqual([
    { minValiditySeconds: 60, rejectedToken: undefined },
    { minValiditySeconds: 60, rejectedToken: undefined },
  ]);
});

test("a token that a broker refused is not given again", async () => {
  const { credential, asked } = desk();
  const provider = oauthBearerProvider(credential);
  expect((await provider()).value).toBe("t1");
  provider.refused();
  expect((await provider()).value).toBe("t2");
  expect((await provider()).value).toBe("t2");
  expect(asked.map(({ rejectedToken }) => rejectedToken)).toEqual([undefined, "t1", undefined]);
});

test("extensions and the principal are handed on; a token without an end has one for librdkafka", async () => {
  const credential = new BearerTokenAuth({ token: "a-token" });
  const settings = { extensions: { logicalCluster: "lkc-1" }, principal: "alice" };
  const before = Date.now();
  const { lifetime, ...rest } = await oauthBearerProvider(credential, settings)();
  expect(rest).toEqual({ value: "a-token", ...settings });
  expect(lifetime).toBeGreaterThanOrEqual(before + 3_600_000);
});
