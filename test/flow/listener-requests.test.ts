// What the callback listener makes of long headers, of posted forms and of what is no request at all, over real sockets.
// Changes when another kind of request is taken, refused or told.

import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { listenerFormBytes, listenerHeaderBytes } from "../../src/core/limits.ts";
import type { CallbackListener } from "../../src/interaction/listener.ts";
import {
  connected,
  createListeners,
  expectedState,
  genuine,
  send,
  sendGenuine,
  type Answer,
} from "../support/callback-listener.ts";

const { open, closeAll, events } = createListeners();
afterEach(closeAll);

const form = { "content-type": "application/x-www-form-urlencoded" };
const genuineForm = `code=the-code&state=${expectedState}`;
const nothingMissed = { posted: 0, inAddress: 0, oversized: 0, unreadable: 0 };

function openForForm(): Promise<CallbackListener> {
  return open({ responseMode: "form_post" });
}

function post(
  listener: CallbackListener,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send(listener, "/callback", { method: "POST", headers: { ...form, ...headers }, body });
}

/** Everything that a connection says until it ends. */
async function heard(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (piece) => (text += String(piece)));
  await once(socket, "close");
  return text;
}

test("cookies of other programs on this address are taken and dropped [F-T9][L12]", async () => {
  const listener = await open();
  const cookie = `other=${"x".repeat(60 * 1024)}`;
  const answer = await send(listener, genuine, { headers: { cookie } });
  expect(answer.status).toBe(303);
  expect((await listener.callback).get("code")).toBe("the-code");
  expect(listener.missed).toEqual(nothingMissed);
});

test("a browser with more of them is told why, and it is counted [F-T9]", async () => {
  const listener = await open();
  const cookie = `other=${"x".repeat(listenerHeaderBytes)}`;
  const answer = await send(listener, genuine, { headers: { cookie } });
  expect(answer.status).toBe(431);
  expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(answer.body).toContain("The browser sent too much");
  expect(listener.missed).toEqual({ ...nothingMissed, oversized: 1 });
  expect(events).toContainEqual({ name: "listener.ignored", data: { why: "oversized" } });
  await sendGenuine(listener);
});

test.for([
  ["a TLS hello", Buffer.from("1603010200010001fc0303", "hex")],
  ["no HTTP", Buffer.from("HELO example.com\r\n\r\n")],
  ["a header line that is none", Buffer.from("GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n")],
] as const)("%s is answered and counted, and the wait goes on [F-T9][L07]", async ([, bytes]) => {
  const listener = await open();
  const socket = await connected(listener.port);
  socket.write(bytes);
  expect(await heard(socket)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/u);
  expect(listener.missed).toEqual({ ...nothingMissed, unreadable: 1 });
  await sendGenuine(listener);
});

test("a connection that is opened ahead of need and left counts for nothing [F-T9]", async () => {
  const listener = await open();
  const spare = await connected(listener.port);
  spare.end();
  await once(spare, "close");
  const reset = await connected(listener.port);
  reset.write("GET /callback HTTP/1.1\r\n");
  reset.resetAndDestroy();
  await sendGenuine(listener);
  expect(listener.missed).toEqual(nothingMissed);
});

test("an expectation and a missing Host are answered by the listener itself [F-T9][L06]", async () => {
  const listener = await open();
  expect((await send(listener, "/", { headers: { Expect: "the-unexpected" } })).status).toBe(404);
  const socket = await connected(listener.port);
  socket.write(`GET ${genuine} HTTP/1.1\r\n\r\n`);
  expect(await heard(socket)).toMatch(/^HTTP\/1\.1 421 /u);
});

test("a posted answer with our state counts, and leads to a page without it [F-U18][L15]", async () => {
  const listener = await openForForm();
  const answer = await post(listener, genuineForm, {
    origin: "https://id.example.com",
    "sec-fetch-mode": "navigate",
    "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
  });
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toMatch(/^\/[\w-]{22}$/u);
  expect((await listener.callback).get("code")).toBe("the-code");
  // A reload posts it again: the same page, and nothing happens twice (L11).
  const again = await post(listener, `code=second&state=${expectedState}`);
  expect(again.headers.location).toBe(answer.headers.location);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("a double submit counts once [F-U18][L11]", async () => {
  const listener = await openForForm();
  let taken = 0;
  void listener.callback.then(() => (taken += 1));
  const answers = await Promise.all([1, 2, 3].map(() => post(listener, genuineForm)));
  expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
  expect(new Set(answers.map(({ headers }) => headers.location)).size).toBe(1);
  expect(taken).toBe(1);
});

test("posted answers without our state are answered, counted and ignored [F-U18][L08][L09]", async () => {
  const listener = await openForForm();
  const forged = [
    "",
    "code=evil",
    "code=evil&state=wrong",
    "error=access_denied",
    "error=access_denied&state=wrong",
    `${genuineForm}&state=${expectedState}`,
  ];
  for (const body of forged) {
    const answer = await post(listener, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer)).not.toContain(expectedState);
  }
  expect(listener.strayCallbacks).toBe(forged.length);
  await post(listener, `error=access_denied&state=${expectedState}`);
  expect((await listener.callback).get("error")).toBe("access_denied");
});

test("an answer in the address does not count where a form is awaited [F-U18]", async () => {
  const listener = await openForForm();
  expect((await send(listener, genuine)).status).toBe(400);
  expect((await send(listener, "/callback")).status).toBe(400);
  expect([listener.missed.inAddress, listener.strayCallbacks]).toEqual([1, 1]);
  expect((await send(listener, genuine, { method: "HEAD" })).headers.allow).toBe("POST");
  await post(listener, genuineForm);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("a form does not count where the answer is awaited in the address, and is told [F-U18][L07]", async () => {
  const listener = await open();
  const { status, headers } = await post(listener, genuineForm);
  expect([status, headers.allow]).toEqual([405, "GET"]);
  expect(listener.missed).toEqual({ ...nothingMissed, posted: 1 });
  await sendGenuine(listener);
});

test("another Host, page or content is refused, whatever is posted [F-U18][L06][L10]", async () => {
  const listener = await openForForm();
  const refusals: readonly [Record<string, string>, number][] = [
    [{ host: "evil.example" }, 421],
    [{ "sec-fetch-mode": "cors", origin: "https://evil.example" }, 403],
    [{ "sec-purpose": "prefetch" }, 403],
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "multipart/form-data; boundary=x" }, 415],
    [{ "content-type": "application/json" }, 415],
    [{ "content-encoding": "gzip" }, 415],
  ];
  for (const [headers, status] of refusals) {
    const answer = await post(listener, genuineForm, headers);
    expect([headers, answer.status]).toEqual([headers, status]);
  }
  expect(listener.strayCallbacks).toBe(0);
  await post(listener, genuineForm);
  expect((await listener.callback).get("code")).toBe("the-code");
});

test("a form beyond the bound is refused, announced or not, and the wait goes on [F-U18][L12]", async () => {
  const listener = await openForForm();
  const announced = await connected(listener.port);
  announced.write(
    `POST /callback HTTP/1.1\r\nHost: ${listener.authority}\r\nContent-Type: ${form["content-type"]}\r\n` +
      `Content-Length: ${String(listenerFormBytes + 1)}\r\n\r\n`,
  );
  expect(await heard(announced)).toMatch(/^HTTP\/1\.1 413 /u);
  const chunked = await connected(listener.port);
  chunked.write(
    `POST /callback HTTP/1.1\r\nHost: ${listener.authority}\r\nContent-Type: ${form["content-type"]}\r\n` +
      "Transfer-Encoding: chunked\r\n\r\n",
  );
  const piece = "x".repeat(0x4000);
  for (let sent = 0; sent <= listenerFormBytes; sent += piece.length) {
    chunked.write(`4000\r\n${piece}\r\n`);
  }
  expect(await heard(chunked)).toMatch(/^HTTP\/1\.1 413 /u);
  expect(listener.missed.oversized).toBe(2);
  // Up to the bound it is read.
  const long = `${genuineForm}&more=${"x".repeat(60 * 1024)}`;
  expect((await post(listener, long)).status).toBe(303);
});
