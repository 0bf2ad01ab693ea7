// Listens at and connects to an address of this machine, in the words of a lock. Changes when Node's errors do.

import type * as netModule from "node:net";

import type { ReachResult, TakeResult } from "./endpoint.ts";

/** What came of trying to listen. */
export type ListenResult =
  | { readonly state: "listening"; readonly server: netModule.Server }
  | Exclude<TakeResult, { readonly state: "taken" }>;

// Waiters that connect while the holder's event loop is busy stand in this queue; the kernel cuts it to
// net.core.somaxconn. Beyond it they get EAGAIN (measured), and come again.
const backlog = 4096;

const exhaustion: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
const departure: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"]);

// Loaded on first use: an import of the library must not pay for it.
function net(): typeof netModule {
  return process.getBuiltinModule("node:net");
}

/** True for an errno that says: not now, for want of descriptors or memory. */
export function isExhaustion(errno: string): boolean {
  return exhaustion.has(errno);
}

/** Listens at the address alone, or says why not. The server does not keep the process alive. */
export function listenAt(
  address: string,
  onConnection: (socket: netModule.Socket) => void,
): Promise<ListenResult> {
  return new Promise((resolve) => {
    const server = net().createServer(onConnection);
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code ?? "unknown";
      if (why === "EADDRINUSE" || why === "EAGAIN") resolve({ state: "held" });
      else if (isExhaustion(why)) resolve({ state: "exhausted", why });
      else resolve({ state: "unavailable", why });
    });
    // Without `exclusive` the workers of a cluster would share the socket, and with it the lock (measured).
    server.listen({ path: address, exclusive: true, backlog }, () => {
      // An accept that fails (no descriptor left) must not end the process: that waiter comes again.
      server.on("error", () => undefined);
      // While the lock is held, the work keeps the process alive; afterwards nothing of the lock may.
      server.unref();
      resolve({ state: "listening", server });
    });
  });
}

/** Connects to the address; `giveUp` ends a try that has not succeeded by then, as "busy". */
export function connectTo(address: string, giveUp?: AbortSignal): Promise<ReachResult> {
  return new Promise((resolve) => {
    const socket = net().connect({ path: address });
    const stop = (): void => {
      socket.destroy();
      resolve({ state: "busy" });
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      giveUp?.removeEventListener("abort", stop);
      const why = error.code ?? "unknown";
      resolve(departure.has(why) ? { state: "gone" } : { state: "busy", why });
    };
    giveUp?.addEventListener("abort", stop, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      giveUp?.removeEventListener("abort", stop);
      socket.off("error", fail);
      readWhatIsLeft(socket);
      resolve({ state: "connected", socket });
    });
  });
}

/**
 * Makes a write that fails say nothing. Node's own answer is to destroy the socket, and with it what the other end
 * sent before it left and nobody has read yet; reading comes to the end by itself.
 */
function readWhatIsLeft(socket: netModule.Socket): void {
  /* oxlint-disable no-underscore-dangle -- the name by which Node lets a stream's writing be replaced */
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, () => done());
  /* oxlint-enable no-underscore-dangle */
}
