// The waiting end of a connection to the holder. Changes when the handshake does.

import type { Socket } from "node:net";

import {
  createLineReader,
  encodeHello,
  encodeProof,
  encodeTakeOver,
  parseHolderMessage,
  parseNonce,
  parseProof,
} from "./message.ts";
import type { HolderMessage } from "./message.ts";
import { createSealer, isProof, proofBytes, prove } from "./proof.ts";
import type { LockKeys, Sealer } from "./proof.ts";
import type { SharedOutcome } from "./types.ts";
import type { Attempt } from "./wait.ts";

/** What is told of the holder at the other end. */
export interface HolderListener {
  /** The holder has proved itself; gives the waiter's proof in return, and one with which it asks for the lock. */
  onProof?(ownProof: Uint8Array, takeOverProof: Uint8Array): void;
  onMessage(message: HolderMessage): void;
  /** The connection is over: the holder is gone, or never was one. */
  onEnd(): void;
}

/** Greets the other end of `socket` and hears what it says, as far as it is proved to be the holder. */
export function hearHolder(
  socket: Socket,
  keys: LockKeys,
  randomBytes: (length: number) => Uint8Array,
  listener: HolderListener,
): void {
  const nonce = randomBytes(proofBytes);
  const reader = createLineReader();
  let sealer: Sealer | undefined;

  /** False where the other end does not keep to the protocol. */
  const onLine = (line: string): boolean => {
    if (sealer === undefined) {
      const holderNonce = parseNonce(line);
      const proof = parseProof(line);
      if (holderNonce === undefined || proof === undefined) return false;
      if (!isProof(proof, keys, "holder", nonce, holderNonce)) return false;
      sealer = createSealer(keys, nonce, holderNonce);
      listener.onProof?.(
        prove(keys, "waiter", nonce, holderNonce),
        prove(keys, "takeOver", nonce, holderNonce),
      );
      return true;
    }
    const message = parseHolderMessage(line, sealer);
    if (message === undefined) return false;
    if (message !== null) listener.onMessage(message);
    return true;
  };

  socket.on("data", (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === undefined || !lines.every(onLine)) socket.destroy();
  });
  // "close" follows and says all that matters: the holder is gone.
  socket.on("error", () => undefined);
  socket.once("close", () => listener.onEnd());
  socket.write(encodeHello(nonce));
}

/** Follows the holder at the other end of `socket` until it is done, gone, or the wait is over. */
export async function followHolder(
  socket: Socket,
  keys: LockKeys,
  randomBytes: (length: number) => Uint8Array,
  attempt: Attempt,
): Promise<SharedOutcome | "again"> {
  hearHolder(socket, keys, randomBytes, {
    onProof: (ownProof, takeOverProof) => {
      socket.write(encodeProof(ownProof));
      attempt.canTakeOver(() => {
        if (socket.writable) socket.write(encodeTakeOver(takeOverProof));
      });
    },
    onMessage: (message) => attempt.hear(message),
    onEnd: () => attempt.end(),
  });
  try {
    return await attempt.result;
  } finally {
    socket.destroy();
  }
}
