import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { listenAt } from "./listen.ts";
import { secretIn } from "./secret.ts";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-proxy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const { signal } = new AbortController();

async function listen(folder: string, path: string): Promise<Server> {
  const server = createServer((socket) => void socket.on("error", () => {}).end("here"));
  onTestFinished(() => void server.close());
  const lock = createProcessLock({ folder, clock: systemClock, randomBytes });
  await listenAt(server, { kind: "socket", path }, lock, signal);
  return server;
}

/** A socket whose program has died. */
function leaveDead(path: string): void {
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, path]);
  expect(statSync(path).isSocket()).toBe(true);
}

const refused = expect.objectContaining({ code: "invalid_option" });

test("[X08] of many that find a dead proxy's socket, one listens, and it is reached", async () => {
  const folder = scratch();
  const path = join(folder, "api.sock");
  leaveDead(path);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, () => listen(join(folder, "state"), path)),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const socket = connect(path);
  expect(String((await once(socket, "data"))[0])).toBe("here");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("[X08] what is in the way and not a socket stays", async () => {
  const folder = scratch();
  const path = join(folder, "api.sock");
  writeFileSync(path, "mine");
  await expect(listen(folder, path)).rejects.toEqual(refused);
  expect(existsSync(path)).toBe(true);
});

test.each([0o755, 0o711, 0o1777])("[X03] a folder of mode %o is not listened in", async (mode) => {
  const folder = join(scratch(), "open");
  mkdirSync(folder);
  chmodSync(folder, mode);
  const path = join(folder, "api.sock");
  await expect(listen(scratch(), path)).rejects.toEqual(refused);
  expect(existsSync(path)).toBe(false);
});

test("a path that the system would cut is refused", async () => {
  const folder = scratch();
  await expect(listen(folder, join(folder, "s".repeat(100)))).rejects.toEqual(refused);
});

test("[X03] a secret is made once, for its user alone, and read again", () => {
  const path = join(scratch(), "made", "secret");
  const made = secretIn(path, randomBytes);
  expect(made).toMatch(/^[\w-]{43}$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(secretIn(path, randomBytes)).toBe(made);
  chmodSync(path, 0o640);
  expect(() => secretIn(path, randomBytes)).toThrow(refused);
});

test.each(["", "too-short", "s".repeat(600), `${"s".repeat(40)} s`, `${"s".repeat(40)}\nt`])(
  "[X03] a secret that is easy to guess, or no header, is refused: %j",
  (text) => {
    const path = join(scratch(), "secret");
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => secretIn(path, randomBytes)).toThrow(refused);
  },
);
