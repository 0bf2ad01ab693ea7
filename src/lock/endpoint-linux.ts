// The kernel object that is the lock on Linux: an abstract Unix socket. Changes when taking or reaching it does.

import type { Endpoint } from "./endpoint.ts";
import { connectTo, listenAt } from "./local-socket.ts";

// Node 20.19 pads the name of an abstract socket to 107 bytes, 22 and 24 do not: only full-length names exclude each
// other between them.
const addressBytes = 107;

/** The abstract socket's name, 107 bytes after its NUL. */
export function linuxAddress(id: string): string {
  return `\0latchkey.1.${id}`.slice(0, 1 + addressBytes);
}

/** The lock on Linux. The name is free as soon as its socket is closed, whatever becomes of its connections. */
export function createLinuxEndpoint(): Endpoint {
  return {
    async take(id, onConnection) {
      const listening = await listenAt(linuxAddress(id), onConnection);
      if (listening.state !== "listening") return listening;
      const { server } = listening;
      return {
        state: "taken",
        hold: {
          keptByConnections: false,
          free() {
            // The kernel frees the name with the descriptor, which this closes at once; the callback of `close`
            // would wait for the visitors.
            server.close();
            return Promise.resolve();
          },
        },
      };
    },
    reach: (id) => connectTo(linuxAddress(id)),
  };
}
