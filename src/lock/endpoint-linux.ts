// The kernel object that is the lock on Linux: an abstract Unix socket. Changes when taking or reaching it does.

import type * as netModule from "node:net";

/** What came of trying to take the lock. */
export type TakeResult =
  | { readonly state: "taken"; readonly server: netModule.Server }
  | { readonly state: "held" }
  /** This process has no descriptor or memory left at the moment. */
  | { readonly state: "exhausted"; readonly why: string }
  /** A sandbox or another system: never possible here. */
  | { readonly state: "unavailable"; readonly why: string };

/** What came of trying to reach the holder. */
export type ReachResult =
  | { readonly state: "connected"; readonly socket: netModule.Socket }
  /** The holder has just gone. */
  | { readonly state: "gone" }
  /** It cannot be reached now: its backlog is full, or something here stands between. */
  | { readonly state: "busy" };

// Waiters that connect while the holder's event loop is busy stand in this queue; the kernel cuts it to
// net.core.somaxconn. Beyond it they get EAGAIN (measured), and come again.
const backlog = 4096;

const exhaustion: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
const departure: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"]);

// Loaded on first use: an import of the library must not pay for it.
function net(): typeof netModule {
  return process.getBuiltinModule("node:net");
}

/** Takes the address, or says why not. The kernel frees it when this process ends, however it ends. */
export function takeAddress(
  address: string,
  onConnection: (socket: netModule.Socket) => void,
): Promise<TakeResult> {
  return new Promise((resolve) => {
    const server = net().createServer(onConnection);
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code ?? "unknown";
      if (why === "EADDRINUSE" || why === "EAGAIN") resolve({ state: "held" });
      else if (exhaustion.has(why)) resolve({ state: "exhausted", why });
      else resolve({ state: "unavailable", why });
    });
    // Without `exclusive` the workers of a cluster would share the socket, and with it the lock (measured).
    server.listen({ path: address, exclusive: true, backlog }, () => {
      // An accept that fails (no descriptor left) must not end the process: that waiter comes again.
      server.on("error", () => undefined);
      // While the lock is held, the work keeps the process alive; afterwards nothing of the lock may.
      server.unref();
      resolve({ state: "taken", server });
    });
  });
}

/** Connects to the holder of the address. */
export function reachAddress(address: string): Promise<ReachResult> {
  return new Promise((resolve) => {
    const socket = net().connect({ path: address });
    const fail = (error: NodeJS.ErrnoException): void => {
      resolve({ state: departure.has(error.code ?? "") ? "gone" : "busy" });
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      resolve({ state: "connected", socket });
    });
  });
}
