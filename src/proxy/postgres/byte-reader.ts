// Reads from a connection by counts of bytes, and no more than is asked for.

import type { Socket } from "node:net";
import { maxMessageBytes, type Message } from "./messages.ts";

/** What was read is not what the protocol has there, or the connection ended. */
export class ReadFault extends Error {
  override readonly name: string = "ReadFault";
}

/** Takes a connection over until it is handed back. */
export class ByteReader {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #wanted = 0;
  #settle: (() => void) | undefined;
  #isOver = false;
  readonly #onData = (chunk: Buffer): void => {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#held.length >= this.#wanted) this.#pauseAndSettle();
  };
  readonly #onEnd = (): void => {
    this.#isOver = true;
    this.#settle?.();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).pause();
  }

  /** @throws {ReadFault} the connection ended before. */
  async bytes(count: number): Promise<Buffer> {
    if (this.#held.length < count && !this.#isOver) {
      this.#wanted = count;
      this.#socket.resume();
      await new Promise<void>((resolve) => (this.#settle = resolve));
    }
    if (this.#held.length < count) throw new ReadFault("the connection ended");
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  /** How much came that nobody has asked for. */
  get waiting(): number {
    return this.#held.length;
  }

  /** One message. @throws {ReadFault} */
  async message(): Promise<Message> {
    const head = await this.bytes(5);
    const length = head.readInt32BE(1) - 4;
    if (length < 0 || length > maxMessageBytes) throw new ReadFault("a message of no sane length");
    return { type: head.toString("latin1", 0, 1), body: await this.bytes(length) };
  }

  /** Hands the connection back; what came meanwhile is read from it first. It stands still. */
  release(): void {
    const socket = this.#socket;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd).pause();
    if (this.#held.length > 0 && !socket.readableEnded) socket.unshift(this.#held);
    this.#held = Buffer.alloc(0);
  }

  #pauseAndSettle(): void {
    this.#socket.pause();
    this.#settle?.();
    this.#settle = undefined;
  }
}
