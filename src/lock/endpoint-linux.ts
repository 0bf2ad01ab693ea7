// The kernel object that is the lock on Linux: a socket in the user's folder, or, where no socket can be made there, an
// abstract one. Changes when the choice between the two does.

import type { Endpoint } from "./endpoint.ts";
import { createFolderEndpoint, type FolderEndpointOptions } from "./endpoint-folder.ts";
import { connectTo, listenAt } from "./local-socket.ts";
import { isListenedAtByStranger } from "../files/processes.ts";

// Node 20.19 pads the name of an abstract socket to 107 bytes, 22 and 24 do not: only full-length names exclude each
// other between them.
const addressBytes = 107;

/** The abstract socket's name, 107 bytes after its NUL. */
export function linuxAddress(id: string): string {
  return `\0latchkey.1.${id}`.slice(0, 1 + addressBytes);
}

/**
 * The lock as an abstract socket. The name is free as soon as its socket is closed, whatever becomes of its
 * connections. Every user of the machine can see and take it.
 */
export function createAbstractEndpoint(): Endpoint {
  return {
    async take(id, onConnection) {
      const address = linuxAddress(id);
      const listening = await listenAt(address, onConnection);
      if (listening.state === "held") {
        if (isListenedAtByStranger(address) === true) return { state: "stranger" };
        return { state: "held", reached: await connectTo(address), mayBeForeign: true };
      }
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

/** The lock on Linux. */
export function createLinuxEndpoint(options: FolderEndpointOptions): Endpoint {
  const inFolder = createFolderEndpoint(options);
  const abstract = createAbstractEndpoint();
  return {
    async take(id, onConnection) {
      const taken = await inFolder.take(id, onConnection);
      // A file system without sockets or hard links, a folder that cannot be written: the same for all who use it.
      return taken.state === "unavailable" ? abstract.take(id, onConnection) : taken;
    },
    async reach(id) {
      const reached = await inFolder.reach(id);
      return reached.state === "gone" ? abstract.reach(id) : reached;
    },
    holderProcess: (id) => inFolder.holderProcess?.(id),
  };
}
