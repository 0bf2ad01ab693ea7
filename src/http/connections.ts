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
 * One connection for each address, unless its caller asks for more. One that has rested is not used again: a firewall or a NAT on the way
 * forgets such connections without a word, and a code or a refresh token that was sent into nothing cannot be sent
 * again safely. What rests does not hold the process.
 */
export class ConnectionPool {
  readonly #clock: Clock;
  readonly #resting = new Map<string, Resting[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the connection to an address that was kept last out of the pool, if one may be used. */
  take(address: string): Socket | undefined {
    for (;;) {
      const resting = this.#resting.get(address)?.at(-1);
      if (resting === undefined) return undefined;
      resting.leave();
      const { socket, monotonic, wall, maxMilliseconds } = resting;
      const rested = Math.max(
        this.#clock.monotonic() - monotonic,
        Math.abs(this.#clock.now() - wall),
      );
      if (rested <= maxMilliseconds && !socket.destroyed && socket.writable) {
        socket.ref();
        return socket;
      }
      socket.destroy();
    }
  }

  /**
   * Keeps a connection whose answer is complete.
   * @param serverSeconds how long the server said that it would keep it (`Keep-Alive: timeout=`).
   * @param most how many rest for this address; the oldest one gives way.
   */
  keep(address: string, socket: Socket, serverSeconds: number | undefined, most = 1): void {
    // A second less than the server promises: what it closes while a request is on its way is lost.
    const seconds = Math.min(maxRestSeconds, (serverSeconds ?? maxRestSeconds + 1) - 1);
    if (seconds <= 0) {
      socket.destroy();
      return;
    }
    const others = this.#resting.get(address) ?? [];
    if (others.length >= most) {
      const [oldest] = others;
      oldest?.leave();
      oldest?.socket.destroy();
    }
    // A word that nobody asked for would be taken for the next request's answer.
    const end = (): void => {
      leave();
      socket.destroy();
    };
    const leave = (): void => {
      for (const event of ["data", "end", "error", "close"]) socket.off(event, end);
      const left = (this.#resting.get(address) ?? []).filter((each) => each.socket !== socket);
      if (left.length === 0) this.#resting.delete(address);
      else this.#resting.set(address, left);
    };
    for (const event of ["data", "end", "error", "close"]) socket.on(event, end);
    const resting: Resting = {
      socket,
      monotonic: this.#clock.monotonic(),
      wall: this.#clock.now(),
      maxMilliseconds: seconds * 1000,
      leave,
    };
    this.#resting.set(address, [...(this.#resting.get(address) ?? []), resting]);
    socket.unref();
  }
}
