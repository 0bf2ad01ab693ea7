import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { connectTo } from "./local-socket.ts";
import {
  createLineReader,
  encodeHolderHello,
  encodeHolderMessage,
  encodeProof,
  parseNonce,
} from "./message.ts";
import type { HolderMessage } from "./message.ts";
import { createSealer, deriveLockKeys, proofBytes, prove } from "./proof.ts";
import { hearHolder } from "./waiter.ts";

const keys = deriveLockKeys("secret", 1, "key");
const outcome: HolderMessage = { kind: "done", version: "v" };
let folder = "";
let server: Server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-waiter-"));
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A holder that has proved itself; `leave` tells its outcome and is gone, as a process is that ends. */
async function holder(): Promise<{ address: string; leave: () => void }> {
  const address = join(folder, "socket");
  let leave = (): void => undefined;
  const onConnection = (socket: Socket): void => {
    const reader = createLineReader();
    socket.on("error", () => undefined);
    socket.once("data", (chunk: Buffer) => {
      const waiterNonce = parseNonce(reader.push(chunk)?.[0] ?? "");
      if (waiterNonce === undefined) throw new Error("no nonce");
      const holderNonce = randomBytes(proofBytes);
      const sealer = createSealer(keys, waiterNonce, holderNonce);
      leave = () => {
        socket.write(encodeHolderMessage(outcome, sealer));
        socket.destroy();
      };
      socket.write(encodeHolderHello(holderNonce, prove(keys, "holder", waiterNonce, holderNonce)));
    });
  };
  server = createServer(onConnection).listen({ path: address });
  await once(server, "listening");
  return { address, leave: () => leave() };
}

test("hears the outcome of a holder that told it and left while the waiter was about to prove itself", async () => {
  const { address, leave } = await holder();
  const reached = await connectTo(address);
  if (reached.state !== "connected") throw new Error(reached.state);
  const heard: HolderMessage[] = [];
  await new Promise<void>((resolve) => {
    hearHolder(reached.socket, keys, randomBytes, {
      onProof: (ownProof) => {
        leave();
        reached.socket.write(encodeProof(ownProof));
      },
      onMessage: (message) => heard.push(message),
      onEnd: resolve,
    });
  });
  expect(heard).toEqual([outcome]);
});
