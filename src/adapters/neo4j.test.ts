// What Neo4j's driver is given and tells, in the words of its own types.

import neo4j, { type AuthTokenManager } from "neo4j-driver";
import { expect, test } from "vitest";
import type { GetTokenOptions } from "../core/types.ts";
import { BearerTokenAuth } from "../index.ts";
import { authTokenManager } from "./neo4j.ts";

const expired = "Neo.ClientError.Security.TokenExpired";

function desk() {
  const asked: GetTokenOptions[] = [];
  let made = 1;
  const fixed = new BearerTokenAuth({
    getToken: () => ({ token: `t${made}`, expiresAt: new Date(Date.now() + 900_000) }),
  });
  const manager = authTokenManager({
    getToken: (options: GetTokenOptions = {}) => {
      asked.push(options);
      if (options.rejectedToken === `t${made}`) made += 1;
      return fixed.getToken(options);
    },
  });
  return { asked, manager };
}

test("the driver is given a token as its own `auth.bearer` makes it", async () => {
  const { manager } = desk();
  const asDriver: Pick<AuthTokenManager, "handleSecurityException"> = manager;
  expect(asDriver).toBe(manager);
  expect(await manager.getToken()).toEqual(neo4j.auth.bearer("t1"));
});

test.each([expired, "Neo.ClientError.Security.Unauthorized"])(
  "%s: another token, and the driver may try again, once",
  async (code) => {
    const { manager, asked } = desk();
    const first = await manager.getToken();
    expect(manager.handleSecurityException(first, code)).toBe(true);
    const second = await manager.getToken();
    expect(second.credentials).toBe("t2");
    // Refused again at once: a server that is never content makes no storm of renewals.
    expect(manager.handleSecurityException(second, code)).toBe(false);
    await manager.getToken();
    expect(asked.map(({ rejectedToken }) => rejectedToken)).toEqual([undefined, "t1", undefined]);
  },
);

test("what says nothing about the token renews nothing", async () => {
  const { manager, asked } = desk();
  const first = await manager.getToken();
  expect(manager.handleSecurityException(first, "Neo.ClientError.Security.Forbidden")).toBe(false);
  expect(manager.handleSecurityException({}, expired)).toBe(false);
  await manager.getToken();
  expect(asked.map(({ rejectedToken }) => rejectedToken)).toEqual([undefined, undefined]);
});
