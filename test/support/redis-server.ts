// A Redis server of a test's own. Changes when tests need something else of one.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findCommand } from "../../scripts/debian-packages.mjs";
import { freePort } from "./free-port.ts";

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Where it writes what it keeps. */
  readonly folder: string;
  /** Ends at once, like a machine without power. */
  kill(): Promise<void>;
  /** Starts again, at the same port, with what it kept. */
  start(): Promise<void>;
  /** Stands still (SIGSTOP), and goes on (SIGCONT). */
  pause(): void;
  resume(): void;
  /** What a command of redis-cli prints. */
  cli(...words: readonly string[]): string;
  /** Ends, and deletes what it kept. */
  close(): Promise<void>;
}

/** The line of a server that runs. */
async function answers(port: number): Promise<boolean> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [reply] = (await once(socket, "data")) as [Buffer];
    // A password is asked for, or it still loads: it is there in the first case alone.
    return /^(\+PONG|-NOAUTH)/.test(reply.toString());
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Starts a server that keeps every write (`appendfsync always`); `settings` are lines of its configuration. `program`: the
 * server's, where it is not Debian's Redis.
 */
export async function startRedis(
  settings: Readonly<Record<string, string>> = {},
  name: "redis-server" | "redis-sentinel" = "redis-server",
  file?: string,
  program: string = findCommand("redis-check-rdb") ?? "",
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-redis-"));
  const port = Number(settings["port"] ?? (await freePort()));
  let server: ChildProcess | undefined;
  const all: Record<string, string> = {
    ...(name === "redis-server" ? { appendonly: "yes", appendfsync: "always", save: "" } : {}),
    bind: "127.0.0.1",
    dir: folder,
    ...settings,
    port: String(port),
  };
  const parameters = Object.entries(all).flatMap(([key, value]) => [`--${key}`, value]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null) return;
    running.kill("SIGCONT");
    running.kill(signal);
    await once(running, "exit");
  };
  const start = async (): Promise<void> => {
    // One program is server, sentinel and checks of files, by the name that it is called by.
    server = spawn(program, file === undefined ? parameters : [file, ...parameters], {
      argv0: name,
      stdio: "ignore",
    });
    while (!(await answers(port))) {
      if (server.exitCode !== null) throw new Error(`redis ended (${String(server.exitCode)})`);
      await pause(20);
    }
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    kill: () => end("SIGKILL"),
    start,
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    cli: (...words) =>
      spawnSync(findCommand("redis-cli") ?? "", ["-p", String(port), ...words], {
        encoding: "utf8",
      }).stdout.trim(),
    close: async () => {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
