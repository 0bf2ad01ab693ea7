// With a real lock of this kernel where macOS would lock in `open`, see testing.ts.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createDarwinEndpoint } from "./endpoint-darwin.ts";
import type { DarwinEndpointOptions } from "./endpoint-darwin.ts";
import type { Endpoint, Hold, TakeResult } from "./endpoint.ts";
import { openWithFlock } from "./testing.ts";

const id = randomBytes(64).toString("hex");
let root = "";
let folder = "";
let temporary = "";
let path = "";
let holds: Hold[] = [];
let servers: Server[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lk-"));
  folder = join(root, "state");
  temporary = join(root, "T");
  path = join(folder, "locks", `${id.slice(0, 32)}.lock`);
  for (const each of [folder, temporary]) mkdirSync(each, { mode: 0o700 });
});

afterEach(async () => {
  await Promise.all(holds.map((hold) => hold.free()));
  for (const server of servers) server.close();
  [holds, servers] = [[], []];
  rmSync(root, { recursive: true, force: true });
});

function endpoint(options: Partial<DarwinEndpointOptions> = {}): Endpoint {
  return createDarwinEndpoint({
    folder,
    randomBytes,
    temporaryFolder: () => temporary,
    open: openWithFlock,
    ...options,
  });
}

/**
 * A child that another thread of this process starts has a copy of every descriptor until it runs its program, and with
 * it the lock: whoever takes it next may have to try again, as the protocol does.
 */
async function take(options: Partial<DarwinEndpointOptions> = {}): Promise<Hold> {
  const tryOnce = (): Promise<TakeResult> =>
    endpoint(options).take(id, (socket) => socket.end("welcome"));
  let taken = await tryOnce();
  for (let tries = 1; taken.state === "held" && tries < 200; tries += 1) {
    await sleep(5);
    taken = await tryOnce();
  }
  if (taken.state !== "taken") throw new Error(taken.state);
  holds.push(taken.hold);
  return taken.hold;
}

async function free(hold: Hold): Promise<void> {
  holds = holds.filter((each) => each !== hold);
  await hold.free();
}

function plantLockFile(content: string): void {
  mkdirSync(dirname(path), { mode: 0o700, recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
}

function failing(code: string): Partial<DarwinEndpointOptions> {
  return {
    open: () => {
      throw Object.assign(new Error(code), { code });
    },
  };
}

describe.runIf(process.platform === "linux")("a locked file", () => {
  test("is opened and locked in one step, without waiting and without following a link", async () => {
    const asked: unknown[] = [];
    await take({
      open: (...parameters) => {
        asked.push(parameters);
        return openWithFlock(...parameters);
      },
    });
    // 0x20 is O_EXLOCK of macOS.
    const flags =
      constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW | 0x20;
    expect(asked).toEqual([[path, flags, 0o600]]);
  });

  test("is held by one, and by the next as soon as that one is done", async () => {
    const hold = await take();
    expect(await endpoint().take(id, () => undefined)).toEqual({ state: "held" });
    await free(hold);
    await take();
  });

  test("stays where it is, for its owner alone", async () => {
    const hold = await take();
    const { ino } = statSync(path);
    await free(hold);
    expect(statSync(path)).toMatchObject({ ino });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await take();
    expect(statSync(path)).toMatchObject({ ino });
  });

  test("that was removed and made anew between opening and locking is opened again", async () => {
    let openings = 0;
    await take({
      open: (...parameters) => {
        openings += 1;
        const descriptor = openWithFlock(...parameters);
        if (openings === 1) unlinkSync(path);
        return descriptor;
      },
    });
    expect(openings).toBe(2);
    expect(await endpoint().take(id, () => undefined)).toEqual({ state: "held" });
  });

  test("that is replaced again and again is given up for now", async () => {
    const taken = await endpoint({
      open: (...parameters) => {
        const descriptor = openWithFlock(...parameters);
        renameSync(path, `${path}.old`);
        return descriptor;
      },
    }).take(id, () => undefined);
    expect(taken).toEqual({ state: "held" });
  });

  test.each([
    ["EAGAIN", { state: "held" }],
    ["EMFILE", { state: "exhausted", why: "EMFILE" }],
    ["ENOTSUP", { state: "unavailable", why: "ENOTSUP" }],
    ["EPERM", { state: "unavailable", why: "EPERM" }],
    ["EROFS", { state: "unavailable", why: "EROFS" }],
  ])("whose opening ends with %s is told so", async (code, result) => {
    expect(await endpoint(failing(code)).take(id, () => undefined)).toEqual(result);
  });

  test("passes on what is no fault of the system", async () => {
    const bug = new TypeError("a bug");
    const open = (): never => {
      throw bug;
    };
    await expect(endpoint({ open }).take(id, () => undefined)).rejects.toBe(bug);
  });

  test("refuses a symbolic link, whose target stays untouched [C03]", async () => {
    mkdirSync(dirname(path), { mode: 0o700 });
    const target = join(root, "target");
    writeFileSync(target, "untouched", { mode: 0o600 });
    symlinkSync(target, path);
    await expect(take()).rejects.toMatchObject({ code: "cache_insecure" });
    await expect(endpoint().reach(id)).rejects.toMatchObject({ code: "cache_insecure" });
    expect(readFileSync(target, "latin1")).toBe("untouched");
  });

  test.each<[string, () => void]>([
    ["a file that others can read", () => chmodSync(path, 0o644)],
    ["a file with a second name [C04]", () => linkSync(path, join(root, "second"))],
    ["a folder that others can enter", () => chmodSync(dirname(path), 0o755)],
  ])("refuses %s, and does not keep it locked", async (_what, spoil) => {
    plantLockFile("");
    spoil();
    await expect(take()).rejects.toMatchObject({ code: "cache_insecure" });
    chmodSync(dirname(path), 0o700);
    chmodSync(path, 0o600);
    rmSync(join(root, "second"), { force: true });
    await take();
  });
});

describe.runIf(process.platform === "linux")("the socket beside it", () => {
  function socketPath(): string {
    return readFileSync(path, "utf8");
  }

  test("has a random name in the user's own temporary folder, which the file tells", async () => {
    const hold = await take();
    const first = socketPath();
    expect(first).toMatch(/^\/.*\/T\/latchkey-[0-9a-f]{32}\n$/u);
    expect(dirname(first)).toBe(temporary);
    expect(statSync(first.trimEnd()).isSocket()).toBe(true);
    const reached = await endpoint().reach(id);
    if (reached.state !== "connected") throw new Error(reached.state);
    const [chunk] = (await once(reached.socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("welcome");
    reached.socket.destroy();
    await free(hold);
    expect(readdirSync(temporary)).toEqual([]);
    await take();
    expect(socketPath()).not.toBe(first);
  });

  test("of a holder that is done leaves waiters to try the file again", async () => {
    expect(await endpoint().reach(id)).toEqual({ state: "gone" });
    await free(await take());
    expect(await endpoint().reach(id)).toEqual({ state: "silent" });
  });

  test.each<[string, () => Partial<DarwinEndpointOptions>]>([
    [
      "whose folder others can enter",
      () => {
        chmodSync(temporary, 0o755);
        return {};
      },
    ],
    ["whose folder is absent", () => ({ temporaryFolder: () => join(root, "absent") })],
    [
      "whose path would be longer than the system takes",
      () => {
        const long = join(root, "x".repeat(90));
        mkdirSync(long, { mode: 0o700 });
        return { temporaryFolder: () => long };
      },
    ],
  ])("%s is left out: the lock holds, and its holder is silent", async (_what, spoil) => {
    // What the holder before has left must not be taken for this one's.
    plantLockFile(`${temporary}/latchkey-${"0".repeat(32)}\nmore`);
    await take(spoil());
    expect(socketPath()).toBe("\n");
    expect(await endpoint().take(id, () => undefined)).toEqual({ state: "held" });
    expect(await endpoint().reach(id)).toEqual({ state: "silent" });
  });

  test("103 bytes are the longest path that is used", async () => {
    const room = 103 - "/latchkey-".length - 32;
    const longest = join(root, "x".repeat(room - root.length - 1));
    mkdirSync(longest, { mode: 0o700 });
    const hold = await take({ temporaryFolder: () => longest });
    expect(Buffer.byteLength(socketPath().trimEnd())).toBe(103);
    expect(await endpoint().reach(id)).toMatchObject({ state: "connected" });
    await free(hold);
    const longer = `${longest}x`;
    mkdirSync(longer, { mode: 0o700 });
    await take({ temporaryFolder: () => longer });
    expect(socketPath()).toBe("\n");
  });

  test("of a holder that was killed is removed by the next one", async () => {
    const left = join(temporary, `latchkey-${"0".repeat(32)}`);
    writeFileSync(left, "");
    plantLockFile(`${left}\n`);
    await take();
    expect(existsSync(left)).toBe(false);
  });

  test.each([
    ["in another folder", () => join(folder, `latchkey-${"0".repeat(32)}`)],
    ["of another name", () => join(temporary, "diary")],
  ])("is not removed %s, whatever the file says", async (_what, place) => {
    writeFileSync(place(), "");
    plantLockFile(`${place()}\n`);
    await take();
    expect(existsSync(place())).toBe(true);
  });

  /** Something listens at each of these, so that nothing but the file's words can keep a waiter from it. */
  async function listening(name: string): Promise<string> {
    const address = join(temporary, name);
    const server = createServer((socket) => socket.destroy());
    server.listen(address);
    await once(server, "listening");
    servers.push(server);
    return address;
  }

  test("is looked for where the file says, without another word", async () => {
    plantLockFile(`${await listening(`latchkey-${"0".repeat(32)}`)}\n`);
    const reached = await endpoint().reach(id);
    expect(reached.state).toBe("connected");
    if (reached.state === "connected") reached.socket.destroy();
  });

  test.each<[string, (live: string, other: string) => string]>([
    ["nothing", () => ""],
    ["a line without an end", (live) => live],
    ["a relative path", (live) => `${relative(process.cwd(), live)}\n`],
    ["a socket of another name", (_live, other) => `${other}\n`],
    ["a path that a NUL would end", (_live, other) => `${other}\0/latchkey-${"0".repeat(32)}\n`],
    ["bytes that are no text", () => "\xff\xfe\n"],
    ["more than it can hold", (live) => `${live}\n${"x".repeat(5000)}`],
    ["a socket that is not there", () => `/nowhere/latchkey-${"0".repeat(32)}\n`],
  ])("is not looked for where the file holds %s", async (_what, contentOf) => {
    const live = await listening(`latchkey-${"0".repeat(32)}`);
    plantLockFile(contentOf(live, await listening("agent")));
    expect(await endpoint().reach(id)).toEqual({ state: "silent" });
  });

  test("is not looked for under a path that Node would cut without a word", async () => {
    // Linux takes 107 bytes, macOS 103.
    const cut = await listening("x".repeat(107 - temporary.length - 1));
    plantLockFile(`${cut}/latchkey-${"0".repeat(32)}\n`);
    expect(await endpoint().reach(id)).toEqual({ state: "silent" });
  });
});
