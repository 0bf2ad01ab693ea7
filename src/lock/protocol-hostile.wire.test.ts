// Other users of the machine: they can take any abstract name and connect to any. Changes when what they may reach does.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFastClock, recordSleeps } from "../../test/support/fast-clock.ts";
import { systemClock } from "../core/clock.ts";
import { createAbstractEndpoint, linuxAddress } from "./endpoint-linux.ts";
import { readLockIdentity } from "./lock-id.ts";
import { encodeHello, encodeHolderHello, encodeHolderMessage, encodeProof } from "./message.ts";
import { createSealer, deriveLockKeys, prove } from "./proof.ts";
import type { LockKeys } from "./proof.ts";
import { createProcessLock } from "./protocol.ts";
import type { AcquireOptions, Lease } from "./types.ts";
import { closing, everythingFrom, nonceOf, onFirstLine } from "./testing.ts";
import { followHolder } from "./waiter.ts";
import type { Warn } from "../core/warning.ts";

let folder = "";
let keys: LockKeys;
let servers: Server[] = [];
let sockets: Socket[] = [];
let leases: Lease[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "latchkey-lock-")), "state");
  keys = keysOf("key");
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await Promise.all(leases.map((lease) => lease.abandon()));
  [servers, sockets, leases] = [[], [], []];
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

function keysOf(name: string): LockKeys {
  const identity = readLockIdentity(folder, randomBytes);
  if (identity.state !== "known") throw new Error(identity.state);
  return deriveLockKeys(identity.secret, identity.inode, name);
}

const options: AcquireOptions = {
  signal: new AbortController().signal,
  longestWorkSeconds: () => 60,
  waitForLogin: true,
  onWaiting: () => undefined,
};

/**
 * Takes part with a clock of which 10 seconds pass in a tenth of one, at the lock whose name others can take: where no
 * socket can be made in the user's folder.
 */
function lock(speed = 100, onWarning?: Warn): ReturnType<typeof createProcessLock> {
  const endpoint = createAbstractEndpoint();
  const clock = createFastClock(speed);
  return createProcessLock({
    folder,
    clock,
    randomBytes,
    endpoint,
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}

/** What comes of taking the lock. */
async function goOnWithout(): Promise<unknown> {
  const warnings: string[] = [];
  const result = await lock(100, (code) => warnings.push(code)).acquire("key", options);
  if (!result.held) return result;
  leases.push(result);
  return { acrossProcesses: result.acrossProcesses, warnings };
}

const gone = { acrossProcesses: false, warnings: ["cache_locked"] };

/** Holds the lock, by default with a clock that stands almost still: what is cut off was not by time. */
async function hold(name = "key", speed = 0.001): Promise<Lease> {
  const result = await lock(speed).acquire(name, options);
  if (!result.held) throw new Error("it is held");
  leases.push(result);
  return result;
}

/** Takes the name before any Latchkey does. */
async function squat(onConnection: (socket: Socket) => void): Promise<void> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  server.listen({ path: linuxAddress(keys.id), exclusive: true });
  await once(server, "listening");
}

async function stranger(address: string = linuxAddress(keys.id)): Promise<Socket> {
  const socket = connect({ path: address });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

describe.runIf(process.platform === "linux")("a squatter without the proof", () => {
  // What another user can say; he sees every byte that a waiter sends.
  const squatters: Record<string, (socket: Socket) => void> = {
    "says nothing": () => undefined,
    "never reads": (socket) => socket.pause(),
    "closes at once": (socket) => socket.destroy(),
    "says junk": (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"),
    "never ends its line": (socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write("x".repeat(65_536)));
        if (!socket.destroyed) socket.once("drain", flood);
      };
      flood();
    },
    "drips byte by byte": (socket) => {
      const drip = (): void => {
        if (socket.destroyed) return;
        socket.write("{");
        setTimeout(drip, 2);
      };
      drip();
    },
    "guesses a proof": (socket) => {
      socket.write(encodeHolderHello(randomBytes(32), randomBytes(32)));
    },
    "sends the waiter's own words back": (socket) => {
      socket.pipe(socket);
    },
    "has the proof of another lock's holder": (socket) => {
      onFirstLine(socket, (line) => {
        const other = keysOf("another key");
        const nonce = randomBytes(32);
        socket.write(encodeHolderHello(nonce, prove(other, "holder", nonceOf(line), nonce)));
        const sealer = createSealer(other, nonceOf(line), nonce);
        socket.write(encodeHolderMessage({ kind: "done", version: "v" }, sealer));
      });
    },
    "has a waiter's proof": (socket) => {
      onFirstLine(socket, (line) => {
        const nonce = randomBytes(32);
        socket.write(encodeHolderHello(nonce, prove(keys, "waiter", nonceOf(line), nonce)));
      });
    },
    "repeats what a holder once said": (socket) => {
      const [waiterNonce, nonce] = [randomBytes(32), randomBytes(32)];
      const sealer = createSealer(keys, waiterNonce, nonce);
      socket.write(encodeHolderHello(nonce, prove(keys, "holder", waiterNonce, nonce)));
      socket.write(encodeHolderMessage({ kind: "done", version: "v" }, sealer));
    },
  };

  test.each(Object.keys(squatters))(
    "that %s is no holder: after 10 seconds it goes on as on another host, and no connection is left [R05][F-S4]",
    async (name) => {
      const closed: Promise<unknown>[] = [];
      await squat((socket) => {
        closed.push(closing(socket));
        squatters[name]?.(socket);
        if (name !== "never reads") socket.resume();
      });
      expect(await goOnWithout()).toEqual(gone);
      for (const socket of sockets) socket.resume();
      await Promise.all(closed);
    },
  );

  const speakers = Object.keys(squatters).filter(
    (name) =>
      !["says nothing", "never reads", "closes at once", "drips byte by byte"].includes(name),
  );
  test.each(speakers)("that %s is left as soon as it shows, and gets no proof", async (name) => {
    const said = new Promise<string>((resolve) => {
      void squat((socket) => {
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        void closing(socket).then(() => resolve(text));
        squatters[name]?.(socket);
      });
    });
    let ended: () => void = () => undefined;
    const end = new Promise<"again">((resolve) => (ended = () => resolve("again")));
    const heard: unknown[] = [];
    // No time passes here: only what is said can end it.
    const result = followHolder(await stranger(), keys, randomBytes, {
      result: end,
      canTakeOver: () => undefined,
      hear: (message) => heard.push(message),
      end: ended,
    });
    expect(await result).toBe("again");
    expect(heard).toEqual([]);
    expect(await said).toMatch(/^(\{"nonce":"[0-9a-f]{64}"\}\n)?$/);
  });

  test("that refuses every connection only delays, too", async () => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    server.listen({ path: linuxAddress(keys.id), exclusive: true, backlog: 0 });
    await once(server, "listening");
    expect(await goOnWithout()).toEqual(gone);
  });

  test("is waited for once: the next call of this process goes on at once [F-S4]", async () => {
    await squat(() => undefined);
    const endpoint = createAbstractEndpoint();
    const slept: number[] = [];
    const clock = recordSleeps(createFastClock(100), slept);
    const one = createProcessLock({ folder, clock, randomBytes, endpoint });
    const first = await one.acquire("key", options);
    if (!first.held) throw new Error("it is held");
    await first.abandon();
    expect([sockets.length, slept.length > 0]).toEqual([1, true]);
    slept.length = 0;
    const second = await one.acquire("key", options);
    if (second.held) leases.push(second);
    expect(second).toMatchObject({ held: true, acrossProcesses: false });
    expect(slept).toEqual([]);
  });

  test("learns nothing from a waiter but a random number", async () => {
    const said = new Promise<string>((resolve) => {
      void squat((socket) => resolve(everythingFrom(socket)));
    });
    expect(await goOnWithout()).toEqual(gone);
    expect(await said).toMatch(/^\{"nonce":"[0-9a-f]{64}"\}\n$/);
  });

  test("in the middle, with a waiter's proof passed on to the real holder, can only pass on or cut", async () => {
    // As if it had taken the name in the moment in which a holder had freed it and was still answering.
    const lease = await hold("key");
    const outside = createServer((waiter) => {
      const holder = connect({ path: linuxAddress(keys.id) });
      sockets.push(waiter, holder);
      waiter.on("error", () => undefined).pipe(holder);
      holder.on("error", () => undefined);
      let lines = 0;
      holder.on("data", (chunk: Buffer) => {
        for (const line of chunk.toString().split(/(?<=\n)/)) {
          lines += 1;
          // The third line is the change of phase: another text in its place, of the same length.
          const changed = line.replace(/[A-Za-z](?=[^A-Za-z]*\n$)/, (letter) =>
            letter === "A" ? "B" : "A",
          );
          waiter.write(lines < 3 ? line : changed);
        }
      });
      holder.on("close", () => waiter.end());
    });
    servers.push(outside);
    const address = `\0latchkey.test.${randomBytes(8).toString("hex")}`;
    outside.listen({ path: address });
    await once(outside, "listening");

    const heard: unknown[] = [];
    let begun: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (begun = resolve));
    let ended: () => void = () => undefined;
    const end = new Promise<"again">((resolve) => (ended = () => resolve("again")));
    const result = followHolder(await stranger(address), keys, randomBytes, {
      result: end,
      canTakeOver: () => undefined,
      hear: (message) => {
        heard.push(message);
        begun();
      },
      end: ended,
    });
    await waiting;
    lease.announce("login");
    expect(await result).toBe("again");
    expect(heard).toEqual([
      { kind: "holder", processId: process.pid, phase: "refresh", since: expect.any(Number) },
    ]);
  });
});

describe.runIf(process.platform === "linux")("a stranger at the holder's socket", () => {
  test.each([
    ["junk", "GET / HTTP/1.1\r\n\r\n"],
    ["an empty line", "\n"],
    ["too much without a line's end", "x".repeat(100_000)],
    ["a nonce of the wrong length", '{"nonce":"00"}\n'],
  ])("that says %s is cut off without a word", async (_what, text) => {
    const lease = await hold();
    const socket = await stranger();
    socket.write(text);
    expect(await everythingFrom(socket)).toBe("");
    await lease.finish({ kind: "done", version: "v" });
  });

  test("that says nothing is cut off without a word after 10 seconds", async () => {
    await hold("key", 100);
    expect(await everythingFrom(await stranger())).toBe("");
  });

  test("that drips is cut off at the length of a waiter's words, or when its time is up", async () => {
    await hold("key", 100);
    const socket = await stranger();
    const text = everythingFrom(socket);
    const drip = (): void => {
      if (socket.destroyed) return;
      socket.write(" ");
      setTimeout(drip, 2);
    };
    drip();
    expect(await text).toBe("");
  });

  test("that has a nonce but no proof gets noise alone: no pid, phase, outcome or length of one", async () => {
    const heard: string[] = [];
    for (const outcome of [
      { kind: "done", version: "the-version" },
      { kind: "failed", error: { code: "login_required", message: "the message" } },
    ] as const) {
      const lease = await hold();
      lease.announce("login");
      const socket = await stranger();
      const text = everythingFrom(socket);
      socket.write(encodeHello(randomBytes(32)));
      await once(socket, "data");
      await lease.finish(outcome);
      heard.push(await text);
    }
    for (const text of heard) {
      const [hello, ...sealed] = text.trimEnd().split("\n");
      expect(hello).toMatch(/^\{"nonce":"[0-9a-f]{64}","proof":"[0-9a-f]{64}"\}$/);
      for (const line of sealed) {
        const bytes = Buffer.from((JSON.parse(line) as { sealed: string }).sealed, "base64");
        for (const word of ["kind", "login", "refresh", "done", "version", "message"]) {
          expect(bytes.includes(word)).toBe(false);
        }
      }
    }
    expect(heard[0]?.length).toBe(heard[1]?.length);
  });

  test.each([
    ["a wrong proof", (nonce: Uint8Array) => encodeProof(nonce)],
    ["more than its two lines", () => "x".repeat(600)],
  ])("that answers with %s is cut off", async (_what, answer) => {
    await hold();
    const socket = await stranger();
    socket.write(encodeHello(randomBytes(32)));
    const [chunk] = (await once(socket, "data")) as [Buffer];
    socket.write(answer(nonceOf(chunk.toString().split("\n")[0] ?? "")));
    expect(await everythingFrom(socket)).toBe("");
  });

  test("that gives a holder's proof for a waiter's is cut off", async () => {
    await hold();
    const socket = await stranger();
    socket.write(encodeHello(randomBytes(32)));
    const [chunk] = (await once(socket, "data")) as [Buffer];
    const { proof } = JSON.parse(chunk.toString().split("\n")[0] ?? "") as { proof: string };
    socket.write(encodeProof(Buffer.from(proof, "hex")));
    expect(await everythingFrom(socket)).toBe("");
  });

  test("does not use up the holder's descriptors, and does not shut others out", async () => {
    const lease = await hold();
    const strangers = await Promise.all(Array.from({ length: 400 }, () => stranger()));
    const heard = new Promise<void>((resolve) => {
      const result = lock(1).acquire("key", { ...options, onWaiting: () => resolve() });
      result.then(
        (shared) => leases.push(...(shared.held ? [shared] : [])),
        () => undefined,
      );
    });
    await expect(heard).resolves.toBeUndefined();
    // Resolves when so many of them were cut off; 256 may stay, one of which has become the waiter's.
    for (const socket of strangers) socket.resume();
    while (strangers.filter((socket) => !socket.closed).length > 256) {
      await systemClock.sleep(5);
    }
    await lease.finish({ kind: "done", version: "v" });
  });

  test("does not hold up the holder's end", async () => {
    const lease = await hold("key", 1);
    const socket = await stranger();
    const closed = everythingFrom(socket);
    await lease.finish({ kind: "done", version: "v" });
    await hold();
    expect(await closed).toBe("");
  });
});
