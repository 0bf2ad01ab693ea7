// What a browser and a stranger get from the listener, over real sockets. Changes when a rule of L06 to L17 does.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle-module.ts";
import {
  connected,
  createListeners,
  expectedState,
  genuine,
  holdPort,
  send,
  sendGenuine,
} from "../../test/support/callback-listener.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { listenerConnections, listenerHeaderSeconds } from "../core/limits.ts";

const { open, closeAll, events } = createListeners();
afterEach(closeAll);

const headings = /<h1>(.*?)<\/h1>/u;

test("a request for another host is refused, consumes nothing and learns nothing [L06]", async () => {
  const listener = await open();
  for (const host of [
    "evil.example",
    `evil.example:${listener.port}`,
    `localhost:${listener.port}`,
  ]) {
    const answer = await send(listener, genuine, {
      headers: { Host: host, Origin: `http://${host}` },
    });
    expect(answer.status).toBe(421);
    expect(Object.keys(answer.headers).filter((name) => /access-control/u.test(name))).toEqual([]);
    expect(answer.body).not.toContain(expectedState);
  }
  expect(events).toContainEqual({ name: "listener.ignored", data: { why: "host" } });
  await sendGenuine(listener);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("a request with two Host headers, or none, is refused [L06]", async () => {
  const listener = await open();
  for (const hosts of [`Host: ${listener.authority}\r\nHost: evil.example\r\n`, ""]) {
    const socket = await connected(listener.port);
    socket.end(`GET ${genuine} HTTP/1.0\r\n${hosts}\r\n`);
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 4(?:00|21) /u);
  }
  await sendGenuine(listener);
});

test("the authority of an explicit redirect URI is accepted beside the listener's own [L06]", async () => {
  const listener = await open({ redirectAuthority: "Notebook.example.com:443" });
  const answer = await send(listener, genuine, { headers: { Host: "notebook.example.com:443" } });
  expect(answer.status).toBe(303);
  expect((await send(listener, "/callback")).status).toBe(400);
});

test("only GET on the exact path counts [L07]", async () => {
  const listener = await open();
  const query = genuine.slice("/callback".length);
  for (const path of ["/", "/favicon.ico", `//callback${query}`, `/callback/${query}`]) {
    expect((await send(listener, path)).status).toBe(404);
  }
  for (const path of [`/%63allback${query}`, `http://${listener.authority}${genuine}`]) {
    expect((await send(listener, path)).status).toBe(404);
  }
  for (const method of ["HEAD", "OPTIONS", "POST"]) {
    const { status, headers } = await send(listener, genuine, { method });
    expect([status, headers.allow]).toEqual([405, "GET"]);
  }
  await sendGenuine(listener);
  expect(listener.strayCallbacks).toBe(0);
});

test("callbacks without our state are answered, counted and ignored [L08][L09]", async () => {
  const listener = await open();
  const forged = [
    "/callback",
    "/callback?code=evil",
    "/callback?code=evil&state=wrong",
    "/callback?error=access_denied&error_description=x",
    "/callback?error=access_denied&state=wrong",
    `${genuine}&state=${expectedState}`,
  ];
  for (const path of forged) {
    const answer = await send(listener, path);
    expect(answer.status).toBe(400);
    expect(headings.exec(answer.body)?.[1]).toBe("This page belongs to another sign-in");
    expect(JSON.stringify(answer)).not.toContain(expectedState);
  }
  expect(listener.strayCallbacks).toBe(forged.length);
  await sendGenuine(listener);
  expect(Object.fromEntries(await listener.callback)).toEqual({
    code: "the-code",
    state: expectedState,
  });
  expect(JSON.stringify(events)).not.toContain(expectedState);
});

test("an error that carries our state ends the wait [L09]", async () => {
  const listener = await open();
  await send(listener, `/callback?error=access_denied&state=${expectedState}`);
  expect((await listener.callback).get("error")).toBe("access_denied");
});

test("what no person went to is refused without consuming the callback [L10]", async () => {
  const listener = await open();
  const requests: IncomingHttpHeaders[] = [
    { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { "sec-fetch-mode": "cors", origin: "https://evil.example" },
    { origin: "https://evil.example" },
    { "sec-fetch-mode": "navigate", "sec-purpose": "prefetch" },
    { purpose: "prefetch" },
  ];
  let consumed = false;
  void listener.callback.then(() => (consumed = true));
  for (const headers of requests) {
    expect((await send(listener, genuine, { headers })).status).toBe(403);
  }
  expect(consumed).toBe(false);
  const { status } = await send(listener, genuine, { headers: { "sec-fetch-mode": "navigate" } });
  expect(status).toBe(303);
});

test("a reload of the callback leads to the same page, and resolves nothing twice [L11]", async () => {
  const listener = await open();
  const locations = [await sendGenuine(listener), await sendGenuine(listener)];
  const { headers } = await send(listener, `/callback?code=second&state=${expectedState}`);
  expect(new Set([...locations, headers.location]).size).toBe(1);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("200 idle connections do not keep the browser out, and the oldest of them go [L12]", async () => {
  const listener = await open();
  const idle = await Promise.all(Array.from({ length: 200 }, () => connected(listener.port)));
  await sendGenuine(listener);
  expect((await listener.callback).get("code")).toBe("the-code");
  const stillOpen = (): number => idle.filter((socket) => !socket.closed).length;
  await expect.poll(stillOpen, { timeout: 10_000 }).toBeLessThanOrEqual(listenerConnections);
  await listener.close();
  await Promise.all(idle.map(async (socket) => socket.closed || once(socket, "close")));
  expect(idle.every((socket) => socket.closed)).toBe(true);
});

test("headers beyond the bound are refused, and the wait goes on [L12]", async () => {
  const listener = await open();
  const answer = await send(listener, "/", { headers: { "X-Filler": "x".repeat(65 * 1024) } });
  expect(answer.status).toBe(431);
  const socket = await connected(listener.port);
  socket.resume();
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${listener.authority}\r\nX-Filler: ${"x".repeat(1024 * 1024)}`,
  );
  // From Node 24 on the rest that nobody read comes back as a reset, which is as good an end.
  const end = await once(socket, "close").then(
    () => "closed",
    (error: unknown) => (error as NodeJS.ErrnoException).code,
  );
  expect(["closed", "ECONNRESET"]).toContain(end);
  await sendGenuine(listener);
});

test(
  "a request that never ends is cut off, silent and slow ones alike [L12]",
  { timeout: 3000 * listenerHeaderSeconds },
  async () => {
    const listener = await open();
    const silent = await connected(listener.port);
    const slow = await connected(listener.port);
    silent.resume();
    slow.resume();
    slow.write("GET /callback HTTP/1.1\r\nX-Slow: 1\r\n");
    const drip = setInterval(() => void slow.write("X-Slow: 1\r\n"), 500);
    await Promise.all([once(silent, "close"), once(slow, "close")]);
    clearInterval(drip);
    await sendGenuine(listener);
    expect((await listener.callback).get("code")).toBe("the-code");
  },
);

test("closing destroys every connection, those in mid-request included [L13]", async () => {
  const listener = await open();
  const sockets = await Promise.all(Array.from({ length: 3 }, () => connected(listener.port)));
  sockets[1]?.write("GET /callback HTTP/1.1\r\n");
  const location = await sendGenuine(listener);
  const held = send(listener, location).catch((error: unknown) => error);
  // Its answer comes back only after the held request is on its way: one connection after the other is accepted.
  await send(listener, "/");
  const closed = Promise.all(sockets.map((socket) => once(socket, "close")));
  await listener.close();
  await closed;
  expect(await held).toBeInstanceOf(Error);
  await listener.ended;
  const successor = await holdPort("127.0.0.1", listener.port);
  await successor.free();
  // Twice, or after the end, does nothing.
  listener.settle({ kind: "done" });
  await listener.close();
});

test("a settled listener makes way for a new one on the same port [L13]", async () => {
  const clock = createManualClock();
  const first = await open({ clock });
  await sendGenuine(first);
  first.settle({ kind: "done" });
  const second = await open({ ports: [first.port] });
  await first.ended;
  expect(second.port).toBe(first.port);
  expect(clock.sleeping).toBe(0);
});

test("nothing of what came is ever on a page [L14]", async () => {
  const listener = await open();
  const hostile = encodeURIComponent("<script>alert(1)</script>");
  const answers = [
    await send(listener, `/callback?error=${hostile}&error_description=${hostile}&iss=${hostile}`),
    await send(listener, `/${hostile}`),
    await send(
      listener,
      `/callback?error=${hostile}&error_description=${hostile}&state=${expectedState}`,
    ),
  ];
  const outcome = answers.at(-1)?.headers.location ?? "";
  listener.settle({ kind: "failed", code: "authorization_failed" });
  answers.push(await send(listener, outcome));
  for (const { headers, body } of answers) {
    expect(JSON.stringify(headers) + body).not.toMatch(/script|alert/u);
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
  expect(answers.at(-1)?.headers["content-security-policy"]).toContain("default-src 'none'");
});

test("the browser is sent to a page without a query; whether it goes there decides nothing [L15]", async () => {
  const listener = await open({ path: "/proxy/8765/callback" });
  const { status, headers } = await send(listener, `/proxy/8765${genuine}`);
  expect(status).toBe(303);
  expect(headers.location).toMatch(/^\/proxy\/8765\/[\w-]{22}$/u);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("the page of the outcome cannot be guessed, and no page gives the sign-in away [L16]", async () => {
  const names = new Set<string>();
  for (const listener of [await open(), await open()]) {
    names.add(await sendGenuine(listener));
    for (const path of ["/", "/start", "/login"]) {
      expect((await send(listener, path)).status).toBe(404);
    }
  }
  expect(names.size).toBe(2);
});

test("the page promises nothing until the outcome is there, then tells it [L17]", async () => {
  const clock = createManualClock();
  const listener = await open({ clock });
  const location = await sendGenuine(listener);
  const first = send(listener, location);
  expect(await clock.nextSleep()).toBe(2000);
  await clock.advance(2000);
  const waiting = await first;
  expect(headings.exec(waiting.body)?.[1]).toBe("Finishing sign-in");
  expect(waiting.headers["refresh"]).toBe("1");

  const second = send(listener, location);
  expect(await clock.nextSleep()).toBe(10_000);
  listener.settle({ kind: "failed", code: "token_request_failed" });
  const told = await second;
  expect(headings.exec(told.body)?.[1]).toBe("Sign-in did not finish");
  expect(told.body).toContain("<code>token_request_failed</code>");
  expect(told.headers["refresh"]).toBeUndefined();
  await listener.ended;
  expect(clock.sleeping).toBe(0);
});

test.for([
  [{ kind: "done" }, "You are signed in"],
  [{ kind: "refused" }, "Sign-in was refused"],
] as const)(
  "an outcome that is there at once is told at once [L17]",
  async ([outcome, heading]) => {
    const listener = await open();
    const location = await sendGenuine(listener);
    listener.settle(outcome);
    listener.settle({ kind: "failed", code: "aborted" });
    const { body } = await send(listener, location);
    expect(headings.exec(body)?.[1]).toBe(heading);
    await listener.ended;
  },
);

test("without a browser that comes for the outcome, the wait ends with the grace", async () => {
  const clock = createManualClock();
  const listener = await open({ clock });
  await sendGenuine(listener);
  listener.settle({ kind: "done" });
  expect(await clock.nextSleep()).toBe(1000);
  await clock.advance(1000);
  await listener.ended;
});

test("a browser that was told to come back in a second finds the listener still there", async () => {
  const clock = createManualClock();
  const listener = await open({ clock });
  const location = await sendGenuine(listener);
  const waiting = send(listener, location);
  await clock.nextSleep();
  await clock.advance(2000);
  await waiting;
  listener.settle({ kind: "done" });
  expect(await clock.nextSleep()).toBe(2000);
  await clock.advance(1500);
  expect(headings.exec((await send(listener, location)).body)?.[1]).toBe("You are signed in");
  await listener.ended;
});

test("a sign-in that ended without this browser ends the listener at once", async () => {
  const clock = createManualClock();
  const listener = await open({ clock });
  listener.settle({ kind: "done" });
  await listener.ended;
  expect(clock.sleeping).toBe(0);
});

test("a browser that leaves while it waits takes its timer along", async () => {
  const clock = createManualClock();
  const listener = await open({ clock });
  const location = await sendGenuine(listener);
  const socket = await connected(listener.port);
  socket.write(`GET ${location} HTTP/1.1\r\nHost: ${listener.authority}\r\n\r\n`);
  await clock.nextSleep();
  socket.destroy();
  await expect.poll(() => clock.sleeping).toBe(0);
});

test.for([
  // Settled, but nobody fetches the outcome: the process does not wait for the grace to pass.
  ["settle", "ended=false"],
  ["close", "ended=true"],
] as const)(
  "after %s no browser's open connection holds the process [L13]",
  async ([role, end]) => {
    const module = await bundleModule(
      fileURLToPath(new URL("../../test/support/listener-process.ts", import.meta.url)),
    );
    const child = spawn(process.execPath, [module, role], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    const finished = once(child, "close");
    await once(child.stdout, "data");
    const port = Number(output);
    const idle = [await connected(port), await connected(port)];
    idle[0]?.write(`GET /callback HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`);
    await send({ port }, "/callback?state=any");
    expect(await finished).toEqual([0, null]);
    expect(output).toBe(`${port} ${end}`);
    for (const socket of idle) socket.destroy();
  },
);
