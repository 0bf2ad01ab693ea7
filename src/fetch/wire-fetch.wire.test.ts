// A `fetch` over our own wire: what servers get and callers see. Changes when it can do more.

import { expect, onTestFinished, test } from "vitest";
import {
  inTurn,
  redirect,
  reply,
  startHostileServer,
  truncated,
  type Behaviour,
  type HostileServer,
} from "../../test/support/hostile-server.ts";
import { systemClock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { createHttpClient } from "../http/client.ts";
import type { Fetch } from "./request-parts.ts";
import { wireFetch } from "./wire-fetch.ts";

async function serve(behave: Behaviour): Promise<HostileServer> {
  const server = await startHostileServer(behave);
  onTestFinished(() => server.close());
  return server;
}

function fetchHere(environment: Readonly<Record<string, string>> = {}): Fetch {
  return wireFetch(
    createHttpClient({
      clock: systemClock,
      logger: undefined,
      timeoutSeconds: 30,
      caCertPath: undefined,
      allowInsecureHttp: false,
      environment,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    }),
  );
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isOidcError(error) ? [error.code, error.reason] : error;
}

test.each(["DELETE", "GET", "PATCH", "X-OWN"])(
  "%s is sent with a body that has an end",
  async (method) => {
    const server = await serve(reply(200, { "x-a": "1" }, "done"));
    const init = { method, body: "some", headers: { "content-type": "a/b" } };
    const response = await fetchHere()(`${server.origin}/p?q`, init);
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([
      200,
      "1",
      "done",
    ]);
    expect(server.requests).toMatchObject([
      {
        method,
        target: "/p?q",
        headers: { "content-length": "4", "content-type": "a/b", "user-agent": "latchkey" },
      },
    ]);
  },
);

test.each([204, 205, 304])("status %i has no body", async (status) => {
  const server = await serve(reply(status));
  const response = await fetchHere()(server.origin);
  expect([response.status, response.body]).toEqual([status, null]);
});

test("a status that HTTP has no meaning for is told from an answer", async () => {
  const server = await serve(reply(999));
  expect(await failureOf(fetchHere()(server.origin))).toEqual(["network", "malformed"]);
});

test("a redirect is followed where that is asked for, over TLS or on this machine alone", async () => {
  const server = await serve(inTurn(redirect("/next"), reply(200, {}, "there")));
  const send = fetchHere();
  expect(await (await send(server.origin)).text()).toBe("there");
  const away = await serve(redirect("http://example.com/"));
  expect((await send(away.origin, { redirect: "manual" })).status).toBe(302);
  expect(await failureOf(send(away.origin))).toEqual(["insecure_url", undefined]);
  const round = await serve(redirect("/again"));
  expect(await failureOf(send(round.origin))).toBeInstanceOf(TypeError);
  expect(round.requests).toHaveLength(21);
});

test("what goes wrong is told as for a provider: before the head, in the body, by the caller", async () => {
  const send = fetchHere();
  const cut = await serve(truncated());
  const response = await send(cut.origin);
  expect(await failureOf(response.text())).toEqual(["network", "reset"]);
  const gone = await serve(reply(200));
  await gone.close();
  expect(await failureOf(send(gone.origin))).toEqual(["network", "refused"]);
  const reason = new Error("enough");
  expect(await failureOf(send(gone.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  const silent = await serve(() => controller.abort(reason));
  const controller = new AbortController();
  expect(await failureOf(send(silent.origin, { signal: controller.signal }))).toBe(reason);
});

test("goes through the proxy that the environment names", async () => {
  const proxy = await serve(reply(407));
  const send = fetchHere({ HTTPS_PROXY: proxy.origin });
  expect(await failureOf(send("https://data.example.com/"))).toEqual([
    "network",
    "proxy_authentication",
  ]);
  expect(proxy.requests).toMatchObject([{ method: "CONNECT", target: "data.example.com:443" }]);
});
