// The body of a client's request: sent on as it comes, and kept while it is short, so that it can be sent once more.

import type { Readable, Writable } from "node:stream";

/** Longest body that is kept, in bytes. */
const maxKeptBytes: number = 1024 * 1024;

/** One body. */
export class RequestBody {
  readonly #incoming: Readable;
  readonly #length: number | undefined;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #isWhole = false;
  #receiver: Writable | undefined;
  #onWhole: (() => void) | undefined;

  /** @param length as the request's head says it; undefined where it says none. */
  constructor(incoming: Readable, length: number | undefined) {
    this.#incoming = incoming;
    this.#length = length;
    incoming.on("data", (chunk: Buffer) => this.#take(chunk));
    incoming.once("end", () => {
      this.#isWhole = true;
      this.#receiver?.end();
      this.#settle();
    });
    incoming.once("error", () => this.#settle());
    incoming.once("close", () => this.#settle());
    incoming.pause();
  }

  /** Whether all of it has come, and was kept. */
  get canRepeat(): boolean {
    return this.#isWhole && this.#kept !== undefined;
  }

  /** Sends all that has come, and then what comes. A receiver before this one gets nothing more. */
  sendTo(receiver: Writable): void {
    this.#receiver = receiver;
    for (const chunk of this.#kept ?? []) receiver.write(chunk);
    receiver.on("drain", () => {
      if (this.#receiver === receiver) this.#incoming.resume();
    });
    receiver.once("close", () => {
      if (this.#receiver === receiver) this.#receiver = undefined;
    });
    if (this.#isWhole) receiver.end();
    else this.#incoming.resume();
  }

  /** Waits for the rest of one that is going to be short enough: a server may refuse before it has read the body. */
  async whole(): Promise<void> {
    const isShort = this.#length !== undefined && this.#length <= maxKeptBytes;
    if (this.#isWhole || !isShort || this.#incoming.destroyed) return;
    this.#incoming.resume();
    await new Promise<void>((resolve) => {
      this.#onWhole = resolve;
    });
  }

  #settle(): void {
    this.#onWhole?.();
    this.#onWhole = undefined;
  }

  #take(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > maxKeptBytes) this.#kept = undefined;
    this.#kept?.push(chunk);
    const receiver = this.#receiver;
    if (receiver !== undefined && !receiver.writableEnded && !receiver.destroyed) {
      if (!receiver.write(chunk)) this.#incoming.pause();
    } else if (this.#kept === undefined) {
      // Nobody takes it, and it cannot be sent again.
      this.#incoming.pause();
    }
  }
}
