import { afterEach, beforeEach, expect, test } from "vitest";
import {
  garbage,
  inTurn,
  json,
  reply,
  reset,
  truncated,
  truncatedChunks,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import {
  clockStart,
  makeClient,
  metadataRequest,
  userinfoRequest,
  tokenRequest,
} from "../../test/support/http-client.ts";

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
});

afterEach(async () => {
  await server.close();
});

const kinds = Object.entries({ metadataRequest, userinfoRequest, tokenRequest });

test.each(kinds)("asks a %s to come back later after 429 [N07]", async (_name, kind) => {
  server.behave(reply(429, { "retry-after": "61" }));
  const error = await makeClient().failure(kind(server.origin));
  expect([error.code, error.retryAfterSeconds, error.retryable]).toEqual([
    "rate_limited",
    61,
    true,
  ]);
  expect(server.requests).toHaveLength(1);
});

test("waits as long as Retry-After says and asks for metadata again [N07]", async () => {
  for (const [status, value] of [
    [429, "7"],
    [503, "7"],
    [503, new Date(clockStart + 7000).toUTCString()],
  ] as const) {
    const client = makeClient();
    server.behave(reply(status, { "retry-after": value }));
    const once = new Promise<void>((resolve) => {
      server.behave((socket, request, index) => {
        reply(status, { "retry-after": value })(socket, request, index);
        server.behave(json({ a: 1 }));
        resolve();
      });
    });
    const answer = await client.send(metadataRequest(server.origin));
    await once;
    expect(answer.status).toBe(200);
    expect(client.clock.pauses).toEqual([7100]);
  }
});

test("gives up with rate_limited when the wait does not fit the time limit [N07]", async () => {
  server.behave(reply(503, { "retry-after": "40" }));
  const client = makeClient({ timeoutSeconds: 30 });
  const error = await client.failure(metadataRequest(server.origin));
  expect([error.code, error.retryAfterSeconds]).toEqual(["rate_limited", 40]);
  expect(client.clock.pauses).toEqual([]);
  expect(server.requests).toHaveLength(1);
});

test("does not wait longer than a minute even where the time limit would allow it [N07]", async () => {
  server.behave(reply(429, { "retry-after": "61" }));
  const client = makeClient({ timeoutSeconds: 600 });
  expect((await client.failure(metadataRequest(server.origin))).code).toBe("rate_limited");
  expect(client.clock.pauses).toEqual([]);
});

test("gives up after a second request to wait [N07]", async () => {
  server.behave(reply(429, { "retry-after": "1" }));
  expect((await makeClient().failure(metadataRequest(server.origin))).code).toBe("rate_limited");
  expect(server.requests).toHaveLength(2);
});

test("ignores a Retry-After that makes no sense [N07]", async () => {
  server.behave(reply(503, { "retry-after": "-5" }));
  expect((await makeClient().send(tokenRequest(server.origin))).status).toBe(503);
  server.behave(reply(429, { "retry-after": "soon" }));
  const error = await makeClient().failure(tokenRequest(server.origin));
  expect([error.code, error.retryAfterSeconds]).toEqual(["rate_limited", undefined]);
});

test.each([502, 503, 504])("asks for metadata once more after %i [N08]", async (status) => {
  server.behave(inTurn(reply(status), json({ a: 1 })));
  const client = makeClient();
  expect((await client.send(metadataRequest(server.origin))).status).toBe(200);
  expect(client.clock.pauses).toEqual([100]);
});

test("hands over the second gateway failure as an answer [N08]", async () => {
  server.behave(reply(502));
  expect((await makeClient().send(metadataRequest(server.origin))).status).toBe(502);
  expect(server.requests).toHaveLength(2);
});

test.each([
  ["reset", reset()],
  ["truncated", truncated()],
  ["truncated in chunks", truncatedChunks()],
])("asks for metadata once more after an answer that was %s [N08]", async (_how, behaviour) => {
  server.behave(inTurn(behaviour, json({ a: 1 })));
  expect((await makeClient().send(metadataRequest(server.origin))).status).toBe(200);
  expect(server.requests).toHaveLength(2);
});

test.each([
  ["userinfo", userinfoRequest, reset()],
  ["token request", tokenRequest, reset()],
  ["token request", tokenRequest, truncated()],
  ["token request", tokenRequest, truncatedChunks()],
  ["token request", tokenRequest, garbage()],
])("never sends a %s twice [N08, N09]", async (_name, kind, behaviour) => {
  server.behave(inTurn(behaviour, json({})));
  const error = await makeClient().failure(kind(server.origin));
  expect([error.code, error.retryable]).toEqual(["network", true]);
  expect(error.message).toContain(server.host);
  expect(server.requests).toHaveLength(1);
});

test("never sends a token request twice after a gateway failure [N08]", async () => {
  server.behave(reply(503));
  expect((await makeClient().send(tokenRequest(server.origin))).status).toBe(503);
  expect(server.requests).toHaveLength(1);
});

test("does not retry where the time limit leaves no room for the pause [N08]", async () => {
  server.behave(reply(502));
  expect(
    (await makeClient({ timeoutSeconds: 0.1 }).send(metadataRequest(server.origin))).status,
  ).toBe(502);
  expect(server.requests).toHaveLength(1);
});

test("does not retry a name that does not resolve [N08]", async () => {
  const client = makeClient();
  const error = await client.failure({
    ...metadataRequest(server.origin),
    url: "https://no-such-host.invalid/",
  });
  expect([error.code, error.reason]).toEqual(["network", "dns"]);
  expect(error.message).toContain("no-such-host.invalid");
  expect(client.clock.pauses).toEqual([]);
});
