// The address that a browser is started with, against a real provider: what it leads to, and whom it does not serve.

import { once } from "node:events";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { ComposeOverrides } from "../../src/credential/compose.ts";
import type { OidcAuthOptions, PromptEvent } from "../../src/index.ts";
import { OidcError } from "../../src/core/errors.ts";
import { LoopbackServer, sendPage } from "../../src/interaction/loopback-server.ts";
import { nothingHerePage } from "../../src/interaction/pages/states.ts";
import { ownerOfPeer, type PeerOwner } from "../../src/interaction/peer-owner.ts";
import { StartAddress } from "../../src/interaction/start-address.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { approveDevice, visit } from "../support/scripted-browser.ts";
import { desk } from "./fast-desk.ts";
import { emptyHome, failureOf, person, provider } from "./harness.ts";

interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function ask(address: string, options: RequestOptions = {}): Promise<Answer> {
  const outgoing = request(address, { agent: false, ...options }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  const { statusCode: status, headers } = response;
  return { status, location: headers.location, headers, body };
}

/** Somebody whose browser does `come` at the address that it is started with. */
async function signingIn(
  come: (address: string, events: readonly PromptEvent[]) => Promise<unknown>,
  options: OidcAuthOptions = {},
  overrides: ComposeOverrides = {},
) {
  emptyHome();
  const identityProvider = await provider();
  const events: PromptEvent[] = [];
  const opened: string[] = [];
  const onPrompt = (event: PromptEvent): void => void events.push(event);
  const made = desk(
    identityProvider,
    { flow: "auto", openBrowser: true, onPrompt, ...options },
    {
      openBrowser: async (address) => {
        opened.push(address);
        await come(address, events);
        return { opened: true };
      },
      ...overrides,
    },
    person({ idle: true }),
  );
  return { ...made, identityProvider, events, opened };
}

const random = /^\/[\w-]{22}$/;

test("[F-S1] the browser gets an address of the listener, which leads on once; the person is shown the provider's own", async () => {
  let first: Answer | undefined;
  const on = await signingIn(async (address) => {
    first = await ask(address, { headers: { "Sec-Fetch-Mode": "navigate" } });
    await visit(first.location ?? "");
  });
  expect((await on.session.getToken()).source).toBe("login");
  const [address = ""] = on.opened;
  const [shown] = on.events;
  if (shown?.type !== "authorizationUrl") throw new Error("no address was shown");
  expect(new URL(address).pathname).toMatch(random);
  expect(new URL(address).origin).toBe(new URL(shown.redirectUri).origin);
  expect(first?.status).toBe(303);
  expect(first?.location).toBe(shown.url);
  expect(shown.url.startsWith(on.identityProvider.issuer)).toBe(true);
  expect(first?.headers).toMatchObject({
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
});

test("[F-S1] what is no visit of a browser is refused and consumes nothing [L06][L10]", async () => {
  const statuses: (number | undefined)[] = [];
  const on = await signingIn(async (address) => {
    const { host } = new URL(address);
    for (const [options, suffix] of [
      [{ headers: { "Sec-Purpose": "prefetch;prerender" } }, ""],
      [{ headers: { "Sec-Fetch-Mode": "no-cors" } }, ""],
      [{ headers: { Origin: "https://evil.example" } }, ""],
      [{ headers: { "User-Agent": "w3m/0.5.3+git20230121" } }, ""],
      [{ method: "HEAD" }, ""],
      [{ method: "POST" }, ""],
      [{ headers: { Host: "evil.example" } }, ""],
      [{ headers: { Host: host.replace("127.0.0.1", "localhost") } }, ""],
      [{}, "?x"],
      [{}, "/"],
    ] as [RequestOptions, string][]) {
      statuses.push((await ask(`${address}${suffix}`, options)).status);
    }
    await visit(address, { fromStart: true });
  });
  expect((await on.session.getToken()).source).toBe("login");
  expect(statuses).toEqual([403, 403, 403, 403, 405, 405, 421, 421, 404, 404]);
});

test("[F-S1] whoever comes second ends the sign-in, and the first one's answer is worth nothing", async () => {
  let second: Answer | undefined;
  let target = "";
  const on = await signingIn(async (address) => {
    target = (await ask(address)).location ?? "";
    second = await ask(address);
  });
  const error = await failureOf(on.session.getToken());
  expect([error.code, error.reason]).toEqual(["callback_invalid", "opened_twice"]);
  expect(error.message).toContain("Another program on this machine");
  expect([second?.status, second?.location]).toEqual([410, undefined]);
  expect(second?.body).toContain("This page was opened before");
  await expect(visit(target)).rejects.toThrow("ECONNREFUSED");
  expect(on.identityProvider.requests().token).toBe(0);
});

test("the device flow with a browser on the same machine is warned of, once in a program [V06]", async () => {
  const warnings: string[][] = [];
  for (let times = 0; times < 2; times += 1) {
    const on = await signingIn(
      async (address) => {
        await approveDevice((await ask(address)).location ?? "");
      },
      { flow: "device" },
    );
    await on.session.getToken();
    warnings.push(on.events.flatMap((event) => (event.type === "warning" ? [event.code] : [])));
  }
  expect(warnings).toEqual([["device_code_on_this_device"], []]);
});

test("[F-S1] the device flow: the complete address is reached by a start address; a second visit ends it", async () => {
  const on = await signingIn(
    async (address) => {
      const { location = "" } = await ask(address);
      await approveDevice(location);
    },
    { flow: "device" },
  );
  expect((await on.session.getToken()).source).toBe("login");
  const [address = ""] = on.opened;
  expect([new URL(address).hostname, new URL(address).pathname]).toEqual([
    "127.0.0.1",
    expect.stringMatching(random),
  ]);
  expect(on.events[0]).toMatchObject({ type: "deviceCode", browserOpened: true });
  await expect(ask(address)).rejects.toMatchObject({ code: "ECONNREFUSED" });

  const twice = await signingIn(
    async (again) => {
      await ask(again);
      await ask(again);
    },
    { flow: "device" },
  );
  const error = await failureOf(twice.session.getToken());
  expect([error.code, error.reason]).toEqual(["callback_invalid", "opened_twice"]);
});

const places: readonly [string, OidcAuthOptions, RegExp][] = [
  ["callbackHost: localhost", { callbackHost: "localhost" }, /^http:\/\/localhost:\d+\//],
  ["callbackHost: ::1", { callbackHost: "::1" }, /^http:\/\/\[::1\]:\d+\//],
  ["callbackHost: 0.0.0.0", { callbackHost: "0.0.0.0" }, /^http:\/\/127\.0\.0\.1:\d+\//],
];

test.for(places)("[F-S1] %s: the start address is on loopback", async ([, options, expected]) => {
  const on = await signingIn((address) => visit(address, { fromStart: true }), options);
  expect((await on.session.getToken()).source).toBe("login");
  expect(on.opened[0]).toMatch(expected);
});

test("[F-S1] a redirect URI elsewhere: the start address is on this machine all the same", async () => {
  let location = "";
  const caller = new AbortController();
  const on = await signingIn(
    async (address) => {
      location = (await ask(address)).location ?? "";
      caller.abort();
    },
    { redirectUri: "https://apps.example/latchkey/back", callbackPort: 0 },
  );
  expect((await failureOf(on.session.getToken({ signal: caller.signal }))).code).toBe("aborted");
  expect(on.opened[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
  expect(new URL(location).searchParams.get("redirect_uri")).toBe(
    "https://apps.example/latchkey/back",
  );
});

test("[F-S1] an opener that says that it failed, and has opened the page, has opened it", async () => {
  const on = await signingIn(
    () => Promise.resolve(),
    {},
    {
      openBrowser: async (address) => {
        await visit(address, { fromStart: true });
        return { opened: false, problem: "xdg-open ended with status 3" };
      },
    },
  );
  expect((await on.session.getToken()).source).toBe("login");
  expect(on.identityProvider.requests().device).toBe(0);
});

/** A start address alone, with whose program comes as the test says. */
async function alone(owner: PeerOwner): Promise<{
  clock: ManualClock;
  start: StartAddress;
  address: string;
  otherUsers: (number | undefined)[];
}> {
  const clock = createManualClock();
  const otherUsers: (number | undefined)[] = [];
  const start = new StartAddress({
    clock,
    logger: undefined,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    openedTwice: () => new OidcError("callback_invalid", "twice", { reason: "opened_twice" }),
    onOtherUser: (uid) => otherUsers.push(uid),
    ownerOf: () => Promise.resolve(owner),
  });
  const server = new LoopbackServer({
    logger: undefined,
    onRequest: (incoming, response) => {
      if (!start.answer(incoming, response)) sendPage(response, nothingHerePage(404));
    },
  });
  const port = await server.open("127.0.0.1", [0]);
  onTestFinished(() => server.close());
  const address = start.lead(`127.0.0.1:${String(port)}`, "https://id.example.com/");
  return { clock, start, address, otherUsers };
}

test.skipIf(process.platform !== "linux").each(["127.0.0.1", "::1", "::"])(
  "[F-S1] the system says whose program is at the other end: a listener on %s",
  async (host) => {
    const seen: PeerOwner[] = [];
    const server = createServer((socket) => {
      void ownerOfPeer(socket).then((owner) => {
        seen.push(owner);
        socket.end();
      });
    });
    server.listen(0, host);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    for (const target of host === "::" ? ["::1", "127.0.0.1"] : [host]) {
      await once(connect(port, target).resume(), "close");
    }
    expect(seen).toEqual(seen.map(() => ({ kind: "own" })));
    expect(seen.length).toBeGreaterThan(0);
  },
);

test("[F-S1] where nobody can say whose program came first, an answer waits for a second one", async () => {
  const signal = new AbortController().signal;
  const on = await alone({ kind: "unknown" });
  await on.start.alone(signal);
  expect((await ask(on.address)).status).toBe(303);
  const answer = failureOf(on.start.alone(signal));
  expect((await ask(on.address)).status).toBe(410);
  expect((await answer).reason).toBe("opened_twice");

  const quiet = await alone({ kind: "unknown" });
  await ask(quiet.address);
  const accepted = quiet.start.alone(signal);
  expect(await quiet.clock.nextSleep()).toBe(3000);
  await quiet.clock.advance(3000);
  await accepted;

  const own = await alone({ kind: "own" });
  await ask(own.address);
  await own.start.alone(signal);
});

test("[F-S1] another user's program is refused, however often, is told of once, and consumes nothing", async () => {
  const owner: { kind: "other" | "own"; uid: number } = { kind: "other", uid: 1001 };
  const on = await alone(owner);
  expect((await ask(on.address)).status).toBe(403);
  expect((await ask(on.address)).status).toBe(403);
  expect(on.otherUsers).toEqual([1001]);
  owner.kind = "own";
  expect((await ask(on.address)).status).toBe(303);
  expect(on.start.signal.aborted).toBe(false);
});
