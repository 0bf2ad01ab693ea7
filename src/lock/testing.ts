// What tests of the lock share: the locks of other systems, as far as Linux can stand in for them, and what a stranger says
// and hears. Changes when a test needs more of either.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";

import { systemClock } from "../core/clock.ts";
import { parseNonce } from "./message.ts";
import { createDarwinEndpoint } from "./endpoint-darwin.ts";
import { createWindowsEndpoint } from "./endpoint-windows.ts";
import type { Endpoint } from "./endpoint.ts";

/** A system whose lock can be emulated. "darwin-silent": where no socket can be made to wake waiters. */
export type EmulatedSystem = "darwin" | "darwin-silent" | "win32";

const exclusiveLock = 0x20;

export function isEmulated(system: string): system is EmulatedSystem {
  return ["darwin", "darwin-silent", "win32"].includes(system);
}

/**
 * What `open` does with O_EXLOCK and O_NONBLOCK: a real lock of the kernel, which ends with the descriptor. `flock`
 * locks the open file that this process shares with it for a moment.
 */
export function openWithFlock(path: string, flags: number, mode: number): number {
  if ((flags & exclusiveLock) === 0) throw new Error("not asked to lock");
  const descriptor = openSync(path, flags & ~exclusiveLock, mode);
  const { status } = spawnSync("flock", ["--exclusive", "--nonblock", "3"], {
    stdio: ["ignore", "ignore", "ignore", descriptor],
  });
  if (status === 0) return descriptor;
  closeSync(descriptor);
  throw Object.assign(new Error("the file is locked"), { code: "EAGAIN" });
}

/** The lock of another system; `folder` is that of the `lock-id`. */
export function emulatedEndpoint(system: EmulatedSystem, folder: string): Endpoint {
  if (system === "win32") return keptByInstances();
  const temporary = join(folder, "..", "T");
  if (system === "darwin") mkdirSync(temporary, { recursive: true, mode: 0o700 });
  return createDarwinEndpoint({
    folder,
    randomBytes,
    temporaryFolder: () => temporary,
    open: openWithFlock,
  });
}

/** Windows keeps the name of a pipe as long as any instance is open; here that is a mistake which throws. */
function keptByInstances(): Endpoint {
  const endpoint = createWindowsEndpoint({
    clock: systemClock,
    addressOf: (id) => `\0latchkey.pipe.${id}`.slice(0, 108),
  });
  return {
    async take(id, onConnection) {
      const instances = new Set<Socket>();
      const taken = await endpoint.take(id, (socket) => {
        instances.add(socket);
        onConnection(socket);
      });
      if (taken.state !== "taken") return taken;
      const { hold } = taken;
      return {
        state: "taken",
        hold: {
          ...hold,
          free: () => {
            if ([...instances].some((socket) => !socket.destroyed)) {
              throw new Error("an open instance keeps the pipe");
            }
            return hold.free();
          },
        },
      };
    },
    reach: (id) => endpoint.reach(id),
  };
}

/** Unlike `once`, it takes an error on the way for no reason to stop waiting. */
export function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** All that comes until the other end closes. */
export async function everythingFrom(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await closing(socket);
  return text;
}

export function onFirstLine(socket: Socket, use: (line: string) => void): void {
  socket.once("data", (chunk: Buffer) => use(chunk.toString().split("\n")[0] ?? ""));
}

export function nonceOf(line: string): Uint8Array {
  return parseNonce(line) ?? new Uint8Array();
}
