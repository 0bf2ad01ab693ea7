// A network of the test's own. Changes when tests need something else of the network around the command line.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { needs, tellMissing } from "./debian-packages.ts";

const holder = fileURLToPath(new URL("network-holder.mjs", import.meta.url));
// The range for benchmarks (RFC 2544): no loopback for Latchkey, and nobody's network at home.
const address = "198.18.0.1";
const proxyPort = 3128;

export interface PrivateNetwork {
  /** An address of this network that is not loopback. 127.0.0.1 is there too. */
  readonly address: string;
  /** Words that run a command inside; see `through` of command-line.ts. */
  readonly through: readonly string[];
  /** A socket that listens inside, at {@link address}, for a server of this process. */
  listen(): Promise<Server>;
  /** Debian's tinyproxy inside, that wants a user name and a password. */
  startProxy(credentials: { userName: string; password: string }): Promise<AuthenticatingProxy>;
  close(): Promise<void>;
}

export interface AuthenticatingProxy {
  /** `host:port`. */
  readonly host: string;
  /** What it wrote about the requests that came, one per line. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Whether a network namespace can be made here. It takes root (more exactly CAP_SYS_ADMIN and CAP_NET_ADMIN, which
 * containers often lack) and the programs; the reason stands beside the skipped tests.
 */
export function canMakePrivateNetwork(): boolean {
  const programs = [needs("unshare"), needs("ip"), needs("openssl"), needs("tinyproxy")];
  if (programs.some((program) => !program.available)) return false;
  const probe = spawnSync("unshare", ["--net", "ip", "link", "set", "lo", "up"]);
  if (probe.status === 0) return true;
  tellMissing("this user may not make a network namespace (optional, Debian package util-linux)");
  return false;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function startTinyproxy(
  through: readonly string[],
  { userName, password }: { userName: string; password: string },
): Promise<AuthenticatingProxy> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-tinyproxy-"));
  const configuration = join(folder, "tinyproxy.conf");
  await writeFile(
    configuration,
    [
      `Port ${proxyPort}`,
      `Listen ${address}`,
      "Timeout 30",
      "MaxClients 20",
      "LogLevel Info",
      `BasicAuth ${userName} ${password}`,
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  const [first, ...words] = [...through, "tinyproxy", "-d", "-c", configuration];
  const child = spawn(first, words, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const isListening = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        log += chunk;
        if (log.includes("Accepting connections")) resolve();
      });
    }
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`tinyproxy ended:\n${log}`)));
  });
  await isListening;
  return {
    host: `${address}:${proxyPort}`,
    log: () => log,
    stop: async () => {
      await stop(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Makes a network namespace with a loopback device and one more address on it. Nothing of the machine's own network
 * changes, and the namespace ends with the processes inside. Ask {@link canMakePrivateNetwork} first.
 */
export async function makePrivateNetwork(): Promise<PrivateNetwork> {
  const commands = `ip link set lo up && ip addr add ${address}/32 dev lo && exec "$@"`;
  const child = spawn(
    "unshare",
    ["--net", "sh", "-c", commands, "sh", process.execPath, holder, address],
    { stdio: ["ignore", "ignore", "inherit", "ipc"] },
  );
  await once(child, "message");
  const through = ["nsenter", `--net=/proc/${child.pid ?? -1}/ns/net`];
  return {
    address,
    through,
    listen: async () => {
      child.send("listen");
      const [, socket] = (await once(child, "message")) as [unknown, Server];
      child.send("taken");
      return socket;
    },
    startProxy: (credentials) => startTinyproxy(through, credentials),
    close: () => stop(child),
  };
}
