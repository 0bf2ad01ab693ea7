// The kernel object that is the lock on Windows: a named pipe. Changes when taking or reaching it does. Its logic is
// tested on Linux; nobody has run it on Windows yet.

import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectTo, listenAt } from "./local-socket.ts";

/** What the lock on Windows is made of. */
export interface WindowsEndpointOptions {
  readonly clock: Clock;
  /** The pipe's name. Default: one of this machine. */
  readonly addressOf?: (id: string) => string;
}

/** The pipe's name. All pipes of a machine share one folder, so the whole 512 bits stand in it. */
export function windowsAddress(id: string): string {
  return String.raw`\\.\pipe\latchkey.1.${id}`;
}

// Where all instances of a pipe are taken, libuv waits for one for up to 30 seconds (WaitNamedPipeW in its
// src/win/pipe.c). The holder may be gone by then.
const maxConnectMilliseconds = 2000;

/**
 * The lock on Windows. libuv makes the first instance of a pipe with FILE_FLAG_FIRST_PIPE_INSTANCE and answers
 * EADDRINUSE where another process has one (uv_pipe_bind2 in src/win/pipe.c).
 */
export function createWindowsEndpoint(options: WindowsEndpointOptions): Endpoint {
  const { clock, addressOf = windowsAddress } = options;
  return {
    async take(id, onConnection) {
      const listening = await listenAt(addressOf(id), onConnection);
      // The pipes of a machine are one folder for all of its users.
      if (listening.state === "held") return { ...listening, mayBeForeign: true };
      if (listening.state !== "listening") return listening;
      const { server } = listening;
      return {
        state: "taken",
        hold: {
          // Each accepted connection is an instance of the pipe, and any open instance keeps the name.
          keptByConnections: true,
          free: () =>
            new Promise((resolve) => {
              server.close(() => resolve());
            }),
        },
      };
    },
    async reach(id) {
      const connected = new AbortController();
      const giveUp = new AbortController();
      clock
        .sleep(maxConnectMilliseconds, { signal: connected.signal, unref: true })
        .then(() => giveUp.abort())
        .catch(() => undefined);
      try {
        return await connectTo(addressOf(id), giveUp.signal);
      } finally {
        connected.abort();
      }
    },
  };
}
