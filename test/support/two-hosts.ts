// "Hosts" that share a home folder: each with a network of its own, and with locks of its own, as on a network file system
// whose sockets belong to one machine. Changes when tests need another thing of such a host.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Server, Socket } from "node:net";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { needs, tellMissing } from "./debian-packages.ts";

const holder = fileURLToPath(new URL("host-holder.mjs", import.meta.url));

/** One namespace. */
export interface Host {
  /** Words that run a command inside; see `through` of command-line.ts. */
  readonly through: readonly string[];
  close(): Promise<void>;
}

/** Whether a network namespace can be made here; the reason stands beside the skipped tests. */
export function canMakeHosts(): boolean {
  if ([needs("unshare"), needs("ip")].some((program) => !program.available)) return false;
  const mount = "ip link set lo up && mount -t tmpfs locks /mnt";
  if (spawnSync("unshare", ["--net", "--mount", "sh", "-c", mount]).status === 0) return true;
  tellMissing(
    "this user may not make a network and mount namespace (optional, Debian package util-linux)",
  );
  return false;
}

/**
 * Makes a namespace in which 127.0.0.1:`port` is the server that listens there outside, so that one issuer is the same
 * in all of them. Ask {@link canMakeHosts} first.
 */
export async function makeHost(port: number, home: string): Promise<Host> {
  const locks = join(home, ".local/state/latchkey/locks");
  for (const folder of [".local", ".local/state", ".local/state/latchkey", locks]) {
    mkdirSync(resolve(home, folder), { recursive: true, mode: 0o700 });
  }
  const child = spawn(
    "unshare",
    [
      "--net",
      "--mount",
      "sh",
      "-c",
      'ip link set lo up && mount -t tmpfs -o mode=0700 locks "$1" && shift && exec "$@"',
      "sh",
      locks,
      process.execPath,
      holder,
      String(port),
    ],
    { stdio: ["ignore", "ignore", "inherit", "ipc"] },
  );
  const [, inside] = (await once(child, "message")) as [unknown, Server];
  child.send("taken");
  const sockets = new Set<Socket>();
  inside.on("connection", (socket: Socket) => {
    const outside = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [socket, outside],
      [outside, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  return {
    through: [
      "nsenter",
      ...["net", "mnt"].map(
        (kind) =>
          `--${kind === "mnt" ? "mount" : kind}=/proc/${String(child.pid ?? -1)}/ns/${kind}`,
      ),
    ],
    close: async () => {
      const closed = once(inside, "close");
      inside.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
