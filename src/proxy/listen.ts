// Listens at a place until it is told to end. A socket that a dead proxy left is replaced, one of a living one never is.

import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { dirname } from "node:path";
import { OidcError } from "../core/errors.ts";
import type { Wording } from "../core/wording.ts";
import { errnoOf, folderProblem } from "../files/secure-read.ts";
import type { FlightLock, Lease } from "../lock/types.ts";
import type { ListenPlace } from "./listen-place.ts";

// sun_path of Linux holds 108 bytes with its NUL, of macOS 104; Node 20 cuts a longer path without a word (measured).
const maxPathBytes = process.platform === "linux" ? 107 : 103;
/** Longest look at what listens already, in seconds. */
const maxLookSeconds = 5;
const maxConnections = 1000;

function refuse(summary: string, remedy?: Wording | string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** Makes the folder of a socket where it is not there; nobody else may reach what is in it. */
function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const problem = folderProblem(folder, statSync(folder), process.geteuid?.());
    if (problem === undefined) return;
    throw refuse(
      `The folder ${folder}, in which the proxy was to listen, ${problem.what}.`,
      problem.remedy,
    );
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`The folder ${folder} cannot be used (${errnoOf(error)}).`);
  }
}

/** Whether a program listens at a socket. */
function isAnswered(path: string): Promise<boolean> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(maxLookSeconds * 1000, () => settle(true));
    socket.once("connect", () => settle(true));
    // A full queue is a living proxy's, too.
    socket.once("error", (error) => settle(errnoOf(error) !== "ECONNREFUSED"));
  });
}

async function clearPath(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw refuse(`${path} is there already, and is not a socket.`, "Name another path.");
  }
  if (await isAnswered(path)) {
    throw refuse(
      `A program listens at ${path} already.`,
      "End that one, or name another path with --listen.",
    );
  }
  unlinkSync(path);
}

/** Of two that find the same dead socket, the second one would remove the first one's living one. */
async function takeTurn(lock: FlightLock, path: string, signal: AbortSignal): Promise<Lease> {
  for (;;) {
    const taken = await lock.acquire(`proxy:${path}`, {
      signal,
      longestWorkSeconds: () => maxLookSeconds * 2,
      waitForLogin: true,
      onWaiting: () => undefined,
    });
    if (taken.held) return taken;
  }
}

function listening(server: Server, where: Parameters<Server["listen"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      // An accept that fails (no descriptor left) loses that connection alone.
      server.on("error", () => undefined);
      resolve();
    });
  });
}

/**
 * Listens. Gives the port, or 0 for a socket.
 * @throws {OidcError} `invalid_option`: the place cannot be taken.
 */
export async function listenAt(
  server: Server,
  place: ListenPlace,
  lock: FlightLock,
  signal: AbortSignal,
): Promise<number> {
  server.maxConnections = maxConnections;
  if (place.kind === "port") {
    try {
      await listening(server, { host: "127.0.0.1", port: place.port, exclusive: true });
    } catch (error) {
      const why = errnoOf(error) === "EADDRINUSE" ? "is taken" : `(${errnoOf(error)})`;
      throw refuse(
        `The port ${String(place.port)} of 127.0.0.1 ${why}.`,
        "Name another one with --listen.",
      );
    }
    return (server.address() as AddressInfo).port;
  }
  const { path } = place;
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw refuse(
      `The path ${path} is longer than the ${String(maxPathBytes)} bytes that a socket's may have.`,
      "Name a shorter one with --listen.",
    );
  }
  prepareFolder(dirname(path));
  const turn = await takeTurn(lock, path, signal);
  try {
    await clearPath(path);
    await listening(server, { path, exclusive: true });
    // Whatever the umask: a socket is connected to by whoever may write it.
    chmodSync(path, 0o600);
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`The proxy cannot listen at ${path} (${errnoOf(error)}).`);
  } finally {
    await turn.abandon();
  }
  return 0;
}

/** Takes note of the connections of a server, so that they can be ended. */
export function noteConnections(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

/** Takes no more, lets what is going on come to its end for a moment, and ends the rest. A socket's path is removed. */
export async function endListening(
  server: Server,
  sockets: ReadonlySet<Socket>,
  graceMilliseconds: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMilliseconds);
  await closed;
  clearTimeout(timer);
}
