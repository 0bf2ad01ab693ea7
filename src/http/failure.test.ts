import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  endlessChunks,
  endlessHeaders,
  garbage,
  redirect,
  reply,
  reset,
  truncated,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, tokenRequest, canary } from "../../test/support/http-client.ts";

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
});

afterEach(async () => {
  await server.close();
});

const failures = {
  reset: reset(),
  truncated: truncated(),
  garbage: garbage(),
  tooLong: endlessChunks(),
  redirect: redirect(`/next?secret=${canary}`),
  rateLimited: reply(429),
  headers: endlessHeaders(),
};

test.each(Object.entries(failures))(
  "keeps request and answer out of the error: %s [O03]",
  async (_name, behaviour) => {
    server.behave(behaviour);
    const client = makeClient();
    const error = await client.failure(tokenRequest(server.origin));
    const seen = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(client.events);
    expect(seen).not.toContain(canary);
    const allowed = new Set(["code", "syscall"]);
    expect(Object.keys(error.cause ?? {}).filter((key) => !allowed.has(key))).toEqual([]);
  },
);

test("keeps what a transport's error holds out of the error [O03]", async () => {
  const thrown = Object.assign(new Error(`POST failed: ${canary}`), {
    code: `E${canary}`,
    config: { headers: { authorization: canary } },
    cause: Object.assign(new Error(canary), { code: "ECONNRESET", syscall: "read", body: canary }),
  });
  const client = makeClient({ transport: () => Promise.reject(thrown) });
  const error = await client.failure(tokenRequest(server.origin));
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(canary);
  expect(error.cause).toMatchObject({ message: "ECONNRESET", code: "ECONNRESET", syscall: "read" });
});
