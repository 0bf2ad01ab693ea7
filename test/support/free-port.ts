// A port that nobody has. Changes when tests find one in another way.

import { once } from "node:events";
import { createServer } from "node:net";

// Below the ports that systems give to outgoing connections (Linux: from 32768): a connection of another test could take
// such a one before it is listened on. Above those that browsers and fetch refuse.
const lowest = 12_000;
const highest = 32_000;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: "127.0.0.1", port, exclusive: true });
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** A port of 127.0.0.1 that is free now, and that nothing takes by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}
