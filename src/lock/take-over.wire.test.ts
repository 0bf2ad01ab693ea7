// Who may ask a holder for its lock. Changes when the words for that do.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createHolder } from "./holder.ts";
import { encodeHello, encodeProof, encodeTakeOver, parseNonce } from "./message.ts";
import { deriveLockKeys, prove } from "./proof.ts";
import type { Lease } from "./types.ts";

const keys = deriveLockKeys("the secret of this user", 1, "key");
const otherLock = deriveLockKeys("the secret of this user", 1, "another key");
const strangersKeys = deriveLockKeys("a stranger's guess", 1, "key");

async function holding(): Promise<{ lease: Lease; visit: () => Promise<Socket> }> {
  const holder = createHolder(keys, systemClock, randomBytes);
  const server = createServer((socket) => holder.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const lease = holder.lease({ keptByConnections: false, free: () => Promise.resolve() });
  onTestFinished(async () => {
    await lease.abandon();
    server.close();
  });
  const visit = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => undefined);
    return socket;
  };
  return { lease, visit };
}

/** Says hello and gives both nonces. */
async function greet(socket: Socket): Promise<readonly [Uint8Array, Uint8Array]> {
  const own = randomBytes(32);
  socket.write(encodeHello(own));
  const [data] = await once(socket, "data");
  const holder = parseNonce(String(data).split("\n", 1)[0] ?? "");
  if (holder === undefined) throw new Error("the holder said no nonce");
  return [own, holder];
}

test("a proven waiter's wish is heard [F-U16]", async () => {
  const { lease, visit } = await holding();
  const socket = await visit();
  const nonces = await greet(socket);
  socket.write(encodeProof(prove(keys, "waiter", ...nonces)));
  socket.write(encodeTakeOver(prove(keys, "takeOver", ...nonces)));
  await once(lease.takenOver as AbortSignal, "abort");
  expect(lease.takenOver?.aborted).toBe(true);
});

test.for(["no proof before", "proof of waiting", "other lock", "stranger", "other nonces"])(
  "a wish is not heard, and ends the connection: %s [F-U16]",
  async (what) => {
    const { lease, visit } = await holding();
    const socket = await visit();
    const nonces = await greet(socket);
    const wishes: Record<string, Uint8Array> = {
      "no proof before": prove(keys, "takeOver", ...nonces),
      "proof of waiting": prove(keys, "waiter", ...nonces),
      "other lock": prove(otherLock, "takeOver", ...nonces),
      stranger: prove(strangersKeys, "takeOver", ...nonces),
      "other nonces": prove(keys, "takeOver", nonces[1], nonces[0]),
    };
    if (what !== "no proof before") {
      socket.write(encodeProof(prove(keys, "waiter", ...nonces)));
    }
    socket.write(encodeTakeOver(wishes[what] ?? randomBytes(32)));
    await once(socket, "close");
    expect(lease.takenOver?.aborted).toBe(false);
  },
);
