// Who asks who holds a lock. Changes when an onlooker may learn more.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFastClock } from "../../test/support/fast-clock.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { systemClock } from "../core/clock.ts";
import { createAbstractEndpoint, linuxAddress } from "./endpoint-linux.ts";
import type { Endpoint, ReachResult } from "./endpoint.ts";
import { askHolder } from "./inspect.ts";
import { readLockIdentity } from "./lock-id.ts";
import { encodeHolderHello, encodeHolderMessage, parseNonce } from "./message.ts";
import { createSealer, deriveLockKeys, prove } from "./proof.ts";
import type { LockKeys } from "./proof.ts";
import { createProcessLock } from "./protocol.ts";

let folder = "";
let keys: LockKeys;
let servers: Server[] = [];
let sockets: Socket[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "latchkey-lock-")), "state");
  keys = keysOf("key");
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  [servers, sockets] = [[], []];
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

function keysOf(name: string): LockKeys {
  const identity = readLockIdentity(folder, randomBytes);
  if (identity.state !== "known") throw new Error(identity.state);
  return deriveLockKeys(identity.secret, identity.inode, name);
}

/** Asks with a clock on which the second passes in the hundredth part of one. */
function ask(
  endpoint: Endpoint = createAbstractEndpoint(),
  speed = 100,
): ReturnType<typeof askHolder> {
  return askHolder({ endpoint, keys, clock: createFastClock(speed), randomBytes });
}

/** Listens in the holder's place; gives what the visitor said, once its connection is closed. */
async function listen(behave: (socket: Socket) => void): Promise<{ said: Promise<string> }> {
  let heard: (text: string) => void = () => undefined;
  const said = new Promise<string>((resolve) => (heard = resolve));
  const server = createServer((socket) => {
    sockets.push(socket);
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.once("close", () => heard(text));
    behave(socket);
  });
  servers.push(server);
  server.listen({ path: linuxAddress(keys.id), exclusive: true });
  await once(server, "listening");
  return { said };
}

function answerAs(of: LockKeys, socket: Socket): void {
  socket.once("data", (chunk: Buffer) => {
    const waiter = parseNonce(chunk.toString().trimEnd()) ?? new Uint8Array();
    const holder = randomBytes(32);
    socket.write(encodeHolderHello(holder, prove(of, "holder", waiter, holder)));
    const sealer = createSealer(of, waiter, holder);
    socket.write(encodeHolderMessage({ kind: "phase", phase: "refresh" }, sealer));
    socket.write(
      encodeHolderMessage({ kind: "holder", processId: 4711, phase: "login", since: 17 }, sealer),
    );
  });
}

const greeting = /^\{"nonce":"[0-9a-f]{64}"\}\n$/;

describe.runIf(process.platform === "linux")("an onlooker", () => {
  test("hears who holds the lock, shows no proof of its own, and leaves: it is no waiter", async () => {
    const { said } = await listen((socket) => answerAs(keys, socket));
    expect(await ask(undefined, 1)).toEqual({ processId: 4711, phase: "login", since: 17 });
    expect(await said).toMatch(greeting);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["says nothing", () => undefined],
    ["closes at once", (socket) => socket.destroy()],
    ["says junk", (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")],
    ["has the proof of another lock", (socket) => answerAs(keysOf("another"), socket)],
    ["sends its words back", (socket) => void socket.pipe(socket)],
  ])("believes nothing of who %s, and tells it nothing", async (_what, behave) => {
    const { said } = await listen(behave);
    expect(await ask()).toBeUndefined();
    expect(await said).toMatch(/^(\{"nonce":"[0-9a-f]{64}"\}\n)?$/);
  });

  test("finds nobody where the lock is free, and asks nobody who cannot be reached", async () => {
    expect(await ask(undefined, 1)).toBeUndefined();
    for (const state of ["busy", "silent"] as const) {
      const endpoint: Endpoint = {
        take: () => Promise.reject(new Error("not to be taken")),
        reach: () => Promise.resolve({ state }),
      };
      expect(await ask(endpoint, 1)).toBeUndefined();
    }
  });

  test("waits a second for a connection, and drops one that comes later", async () => {
    let arrive: (result: ReachResult) => void = () => undefined;
    const endpoint: Endpoint = {
      take: () => Promise.reject(new Error("not to be taken")),
      reach: () => new Promise((resolve) => (arrive = resolve)),
    };
    const clock = createManualClock();
    let answer: unknown = "none yet";
    const asked = askHolder({ endpoint, keys, clock, randomBytes }).then((it) => (answer = it));
    await clock.advance(999);
    expect(answer).toBe("none yet");
    await clock.advance(1);
    expect(await asked).toBeUndefined();
    await listen(() => undefined);
    const socket = connect({ path: linuxAddress(keys.id) });
    await once(socket, "connect");
    arrive({ state: "connected", socket });
    await once(socket, "close");
    expect(socket.destroyed).toBe(true);
  });

  test("is told that the lock's file is open to others", async () => {
    const lock = createProcessLock({ folder, clock: systemClock, randomBytes });
    expect(await lock.holder("key")).toBeUndefined();
    chmodSync(join(folder, "lock-id"), 0o644);
    await expect(lock.holder("key")).rejects.toMatchObject({ code: "cache_insecure" });
    const endpoint: Endpoint = {
      take: () => Promise.reject(new Error("not to be taken")),
      reach: () => Promise.reject(new TypeError("a bug")),
    };
    await expect(ask(endpoint, 1)).rejects.toThrow("a bug");
  });
});
