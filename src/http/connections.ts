// Connections that are kept from one request to the next, and for how long.

import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { maxRestSeconds } from "../core/limits.ts";

/** A connection without a request, since when on both clocks: the monotonic one stands still while a machine sleeps. */
interface Resting {
  readonly socket: Socket;
  readonly monotonic: number;
  readonly wall: number;
  readonly maxMilliseconds: number;
  readonly leave: () => void;
}

/**
 * At most one connection for each address. One that has rested is not used again: a firewall or a NAT on the way
 * forgets such connections without a word, and a code or a refresh token that was sent into nothing cannot be sent
 * again safely. What rests does not hold the process.
 */
export class ConnectionPool {
  readonly #clock: Clock;
  readonly #resting = new Map<string, Resting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a connection to an address out of the pool, if one may be used. */
  take(address: string): Socket | undefined {
    const resting = this.#resting.get(address);
    if (resting === undefined) return undefined;
    resting.leave();
    const { socket, monotonic, wall, maxMilliseconds } = resting;
    const rested = Math.max(
      this.#clock.monotonic() - monotonic,
      Math.abs(this.#clock.now() - wall),
    );
    if (rested > maxMilliseconds || socket.destroyed || !socket.writable) {
      socket.destroy();
      return undefined;
    }
    socket.ref();
    return socket;
  }

  /**
   * Keeps a connection whose answer is complete.
   * @param serverSeconds how long the server said that it would keep it (`Keep-Alive: timeout=`).
   */
  keep(address: string, socket: Socket, serverSeconds: number | undefined): void {
    // A second less than the server promises: what it closes while a request is on its way is lost.
    const seconds = Math.min(maxRestSeconds, (serverSeconds ?? maxRestSeconds + 1) - 1);
    if (seconds <= 0) {
      socket.destroy();
      return;
    }
    this.#resting.get(address)?.socket.destroy();
    // A word that nobody asked for would be taken for the next request's answer.
    const end = (): void => {
      leave();
      socket.destroy();
    };
    const leave = (): void => {
      for (const event of ["data", "end", "error", "close"]) socket.off(event, end);
      if (this.#resting.get(address)?.socket === socket) this.#resting.delete(address);
    };
    for (const event of ["data", "end", "error", "close"]) socket.on(event, end);
    this.#resting.set(address, {
      socket,
      monotonic: this.#clock.monotonic(),
      wall: this.#clock.now(),
      maxMilliseconds: seconds * 1000,
      leave,
    });
    socket.unref();
  }
}
