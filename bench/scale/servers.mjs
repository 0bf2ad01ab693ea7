// Changes when the servers of the simulation are started, or looked at, in another way.
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** @param {number} port @param {string[]} words */
export const cli = (port, ...words) =>
  execFileSync("redis-cli", ["-p", String(port), ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

/** Servers that know nothing of each other. @param {number} count */
export async function startRedis(count) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-scale-"));
  const servers = [];
  for (let at = 0; at < count; at += 1) {
    const port = await freePort();
    const settings = {
      port,
      bind: "127.0.0.1",
      dir: folder,
      save: "",
      // Every write is on the disk before it is confirmed, as docs/stores.md asks for.
      appendonly: "yes",
      appendfsync: "always",
      appenddirname: `aof-${port}`,
      maxclients: 19_900,
      "tcp-backlog": 4096,
    };
    const parameters = Object.entries(settings).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    const child = spawn("redis-server", parameters, { stdio: "ignore" });
    servers.push({ port, child });
    for (let tries = 0; ; tries += 1) {
      try {
        if (cli(port, "ping") === "PONG") break;
      } catch (error) {
        if (tries > 100) throw error;
      }
      await pause(50);
    }
  }
  const ports = servers.map(({ port }) => port);
  return {
    ports,
    urls: ports.map((port) => `redis://127.0.0.1:${port}`),
    async close() {
      for (const { child } of servers) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param {string} text @param {string} name */
const numberOf = (text, name) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1] ?? 0);

/** What a server has done and holds. @param {number} port */
export function look(port) {
  const info = cli(port, "info", "everything");
  /** @type {Record<string, { calls: number, microseconds: number }>} */
  const commands = {};
  for (const [, name, calls, microseconds] of info.matchAll(
    /^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm,
  )) {
    commands[name ?? ""] = { calls: Number(calls), microseconds: Number(microseconds) };
  }
  return {
    commands,
    cpuSeconds: numberOf(info, "used_cpu_user") + numberOf(info, "used_cpu_sys"),
    memory: numberOf(info, "used_memory"),
    mostMemory: numberOf(info, "used_memory_peak"),
    data: numberOf(info, "used_memory_dataset"),
    ofConnections: numberOf(info, "mem_clients_normal"),
    keys: Number(/^db0:keys=(\d+)/m.exec(info)?.[1] ?? 0),
    connections: numberOf(info, "connected_clients"),
  };
}

/** A provider in a process of its own. @param {number} latency milliseconds @param {number} lifetime seconds */
export async function startProvider(latency, lifetime) {
  const child = fork(new URL("provider.mjs", import.meta.url), [String(latency), String(lifetime)]);
  const [port] = await once(child, "message");
  const issuer = `http://127.0.0.1:${port}`;
  return {
    issuer,
    counts: async () => (await fetch(`${issuer}/counts`)).json(),
    close: () => child.disconnect(),
  };
}
