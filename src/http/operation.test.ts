import { once, getEventListeners } from "node:events";
import * as net from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  dribble,
  headersOnly,
  inTurn,
  json,
  reset,
  silent,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";
import { systemClock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
});

afterEach(async () => {
  await server.close();
});

test.each([
  ["says nothing", silent()],
  ["sends half an answer", headersOnly()],
  ["sends a byte now and then", dribble(1)],
])("ends an operation whose server %s at the time limit [N01]", async (_how, behaviour) => {
  server.behave(behaviour);
  const client = makeClient({ timeoutSeconds: 30 });
  const failure = client.failure(tokenRequest(server.origin));
  await server.seen(1);
  client.clock.expire();
  const error = await failure;
  expect([error.code, error.retryable]).toEqual(["timeout", true]);
  expect(error.message).toContain(`${server.host} within 30 s (token request`);
  expect(error.message).toContain("httpTimeoutSeconds");
  // Nothing is left behind: the connection is gone too.
  await server.allClosed();
});

test("keeps the time limit on the machine's own clock [N01]", async () => {
  const client = makeClient({ timeoutSeconds: 0.2, clock: systemClock });
  expect((await client.failure(tokenRequest(server.origin))).code).toBe("timeout");
});

test("ends an attempt to connect at the time limit [N01]", async () => {
  const mute = net.createServer().listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as net.AddressInfo;
  const client = makeClient();
  const failure = client.failure(tokenRequest(`https://127.0.0.1:${port}`));
  const [socket] = (await once(mute, "connection")) as [net.Socket];
  client.clock.expire();
  expect((await failure).code).toBe("timeout");
  socket.destroy();
  mute.close();
});

test("counts the retry into the same time limit [N01]", async () => {
  server.behave(inTurn(reset(), silent()));
  const client = makeClient();
  const failure = client.failure(metadataRequest(server.origin));
  await server.seen(2);
  client.clock.expire();
  expect((await failure).code).toBe("timeout");
});

test("does not wait for a transport that is deaf to its signal", async () => {
  const client = makeClient({ transport: () => new Promise(() => {}) });
  const failure = client.failure(tokenRequest(server.origin));
  client.clock.expire();
  expect((await failure).code).toBe("timeout");
});

test("sends nothing for a caller that has aborted already", async () => {
  const signal = AbortSignal.abort();
  const error = await makeClient().failure({ ...tokenRequest(server.origin), signal });
  expect(error.code).toBe("aborted");
  expect(server.connections()).toBe(0);
});

test.each([silent(), headersOnly()])("stops at once when the caller aborts", async (behaviour) => {
  server.behave(behaviour);
  const caller = new AbortController();
  const client = makeClient();
  const failure = client.failure({ ...tokenRequest(server.origin), signal: caller.signal });
  await server.seen(1);
  caller.abort(new Error("a secret of the caller"));
  const error = await failure;
  expect(error.code).toBe("aborted");
  expect(error.message).not.toContain("secret");
  expect(error.cause).toBeUndefined();
  await server.allClosed();
});

test("ends with the caller's own reason where that is an OidcError", async () => {
  const caller = new AbortController();
  const failure = makeClient().failure({ ...tokenRequest(server.origin), signal: caller.signal });
  await server.seen(1);
  const reason = new OidcError("callback_timeout", "too late");
  caller.abort(reason);
  expect(await failure).toBe(reason);
});

test("stops a pause before a retry when the caller aborts", async () => {
  server.behave(reset());
  const caller = new AbortController();
  const client = makeClient({
    clock: {
      ...systemClock,
      sleep: (milliseconds, options) => {
        // The pause, not the time limit: nobody else would wake it up.
        if (milliseconds < 1000) setImmediate(() => caller.abort());
        return systemClock.sleep(60_000, options);
      },
    },
  });
  const error = await client.failure({ ...metadataRequest(server.origin), signal: caller.signal });
  expect(error.code).toBe("aborted");
  expect(server.requests).toHaveLength(1);
});

test("leaves no listener at the caller's signal and no timer", async () => {
  server.behave(json({}));
  const { signal } = new AbortController();
  let sleeping = 0;
  const client = makeClient({
    clock: {
      ...systemClock,
      sleep: async (milliseconds, options) => {
        sleeping += 1;
        await systemClock.sleep(milliseconds, options).finally(() => {
          sleeping -= 1;
        });
      },
    },
  });
  await client.send({ ...tokenRequest(server.origin), signal });
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(sleeping).toBe(0);
});
