// Owning a port of this machine, alone and exactly as asked. Changes when an operating system shares ports otherwise.

import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { OidcError } from "../core/errors.ts";
import { isLocalhostName } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";

/** Sockets that listen: two where `localhost` (or a name below it) has both address families, else one. */
export interface BoundServers {
  readonly servers: readonly Server[];
  /** From the socket that listens already (L04). */
  readonly port: number;
}

const randomPortTries = 8;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function isAbsentFamily(error: unknown): boolean {
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL", "EPROTONOSUPPORT"].includes(codeOf(error));
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // `exclusive`: workers of a cluster would share the socket otherwise. No `reusePort`, ever (L05). `ipv6Only` keeps
    // [::1] from claiming the IPv4 side.
    server.listen({ host, port, exclusive: true, ipv6Only: host === "::1" }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
  );
}

/**
 * `localhost`, and each name below it, is whatever a browser makes of it, so both loopback addresses must be ours, or a stranger on the other
 * one gets the code (L02). The name itself is never looked up: a resolver may answer anything.
 */
async function bindBoth(createServer: () => Server, port: number): Promise<BoundServers> {
  const four = createServer();
  const six = createServer();
  let bound = port;
  let hasFour = true;
  try {
    bound = await listen(four, "127.0.0.1", port);
  } catch (error) {
    if (!isAbsentFamily(error)) throw error;
    hasFour = false;
  }
  try {
    bound = await listen(six, "::1", bound);
    return { servers: hasFour ? [four, six] : [six], port: bound };
  } catch (error) {
    if (hasFour && isAbsentFamily(error)) return { servers: [four], port: bound };
    if (hasFour) await closeAll([four]);
    throw error;
  }
}

async function bindOnce(
  createServer: () => Server,
  host: string,
  port: number,
): Promise<BoundServers> {
  if (!isLocalhostName(host)) {
    const server = createServer();
    return { port: await listen(server, host, port), servers: [server] };
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindBoth(createServer, port);
    } catch (error) {
      // The free port of one family was taken in the other: another free one.
      if (port !== 0 || codeOf(error) !== "EADDRINUSE" || attempt === randomPortTries) throw error;
    }
  }
}

/** Every port of the list is somebody else's. */
export function portsTaken(host: string, ports: readonly number[]): OidcError {
  const [port = 0] = ports;
  const next = port < 65535 ? `, such as ${port + 1}` : "";
  return ports.length > 1
    ? new OidcError(
        "callback_port_in_use",
        `Ports ${ports.join(", ")} on ${host} are all taken by other programs, so the browser could not come back.`,
        { remedy: say`Free one, or register and set another ${option("callbackPort")}.` },
      )
    : new OidcError(
        "callback_port_in_use",
        `Port ${port} on ${host} is taken by another program, so the browser could not come back.`,
        { remedy: say`Free it, or register and set another ${option("callbackPort")}${next}.` },
      );
}

function unusableError(host: string, port: number, cause: unknown): OidcError {
  const code = codeOf(cause);
  const isForbidden = code === "EACCES" || code === "EPERM";
  const why = isForbidden
    ? `this user may not open port ${port} on ${host}`
    : `${host} port ${port} cannot be listened on (${code || "unknown reason"})`;
  return new OidcError("callback_port_in_use", `The browser could not come back: ${why}.`, {
    reason: "listener_failed",
    remedy: isForbidden
      ? say`Register and set a ${option("callbackPort")} above 1023.`
      : say`Set ${option("callbackHost")} to an address of this machine; 127.0.0.1 is the usual one.`,
    cause,
  });
}

/**
 * Takes the first free port of `ports` on exactly `host`, or says at once that there is none.
 * @throws {OidcError} `callback_port_in_use`; with reason `listener_failed` where the port is not taken but cannot be
 * opened here.
 */
export async function bindFirstFree(
  createServer: () => Server,
  host: string,
  ports: readonly number[],
): Promise<BoundServers> {
  let unusable: OidcError | undefined;
  let anyTaken = false;
  for (const port of ports) {
    try {
      return await bindOnce(createServer, host, port);
    } catch (error) {
      if (codeOf(error) === "EADDRINUSE") anyTaken = true;
      else unusable ??= unusableError(host, port, error);
    }
  }
  throw anyTaken || unusable === undefined ? portsTaken(host, ports) : unusable;
}
