// A new connection to a host: TCP, a proxy's tunnel and TLS, within one time limit.

import type { LookupFunction, Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { isAddress } from "../core/hosts.ts";
import { ownProperties } from "../core/own-properties.ts";
import { requestOver } from "./http-request.ts";
import { guardedLookUp, lookUp } from "./lookup.ts";
import type { Proxy } from "./proxy.ts";
import { isTlsCode, isUntrustedCode } from "./tls-codes.ts";
import type { Trust } from "./trust.ts";
import { WireFailure } from "./wire-failure.ts";

/** What to connect to, and how. */
export interface Destination {
  readonly url: URL;
  readonly proxy: Proxy | undefined;
  /** What TLS with the host agrees on (RFC 7301). Default: `http/1.1`. */
  readonly protocol?: "h2" | "postgresql" | undefined;
  /** Done over the plain connection before TLS begins on it. */
  readonly beforeTls?: ((socket: Socket) => Promise<void>) | undefined;
  /** Needed where the host or the proxy is an `https:` one. */
  readonly trust: Trust | undefined;
  /** Whether an address of the host may be connected to; what a proxy connects to is not seen. Default: any. */
  readonly mayConnect?: ((address: string) => boolean) | undefined;
}

/** What may end an attempt. */
export interface ConnectLimits {
  /** For the whole of it, in milliseconds. */
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}

/** Takes note of each socket that is made, and ends it where the attempt is over. */
type Watch = <Made extends Socket>(socket: Made) => Made;

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** As connections and certificates name a host: no brackets, no dot of the root. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function established(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off(event, done).off("error", failed).off("close", closed);
    };
    const done = (): void => {
      settle();
      resolve();
    };
    const failed = (error: Error): void => {
      settle();
      reject(error);
    };
    const closed = (): void => failed(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    socket.once(event, done).once("error", failed).once("close", closed);
  });
}

async function openPlain(url: URL, watch: Watch, lookup = lookUp): Promise<Socket> {
  const { connect: connectTcp } = process.getBuiltinModule("node:net");
  const socket = watch(
    connectTcp(ownProperties({ host: bareHost(url), port: portOf(url), lookup, noDelay: true })),
  );
  await established(socket, "connect");
  return socket;
}

/** TLS with the host of `url`, over a tunnel to it if there is one. */
async function openSecure(
  url: URL,
  context: SecureContext,
  isProblem: Trust["identityProblem"],
  watch: Watch,
  tunnel?: Socket,
  protocol: string = "http/1.1",
  lookup: LookupFunction = lookUp,
): Promise<Socket> {
  const { connect: connectTls } = process.getBuiltinModule("node:tls");
  const host = bareHost(url);
  const socket = watch(
    connectTls(
      ownProperties({
        ...(tunnel === undefined
          ? { host, port: portOf(url), lookup, noDelay: true, socket: undefined }
          : { socket: tunnel }),
        secureContext: context,
        // Stated, because NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default (S04).
        rejectUnauthorized: true,
        checkServerIdentity: (_name, shown) => isProblem(host, shown),
        // RFC 6066 section 3: literal addresses "are not permitted".
        servername: isAddress(host) ? "" : host,
        ALPNProtocols: [protocol],
        path: undefined,
        session: undefined,
      }),
    ),
  );
  await established(socket, "secureConnect");
  return socket;
}

/** Asks a proxy for a way to the host of `url`. @see RFC 9110 section 9.3.6 */
function openTunnel(socket: Socket, url: URL, proxy: Proxy): Promise<Socket> {
  const target = `${url.hostname}:${portOf(url)}`;
  const request = requestOver(socket, {
    method: "CONNECT",
    target,
    headers: {
      host: target,
      connection: "keep-alive",
      ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
    },
  });
  return new Promise((resolve, reject) => {
    request.on("error", (error) => {
      const isHungUp = ["ECONNRESET", "EPIPE"].includes(codeOf(error));
      reject(isHungUp ? new WireFailure("proxy_hung_up", { cause: error }) : error);
    });
    request.once("connect", ({ statusCode = 0 }, _socket, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) {
        reject(new WireFailure("proxy_status", { status: statusCode }));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.end();
  });
}

async function openToProxy(
  proxy: Proxy,
  trust: Trust | undefined,
  round: number,
  watch: Watch,
): Promise<Socket> {
  const url = new URL(proxy.origin);
  if (url.protocol === "http:" || trust === undefined) return openPlain(url, watch);
  try {
    return await openSecure(url, trust.contexts.at(round).proxy, trust.identityProblem, watch);
  } catch (error) {
    throw isTlsCode(codeOf(error)) ? new WireFailure("proxy_tls", { cause: error }) : error;
  }
}

async function open(
  { url, proxy, trust, protocol, mayConnect, beforeTls }: Destination,
  round: number,
  watch: Watch,
): Promise<Socket> {
  const lookup = mayConnect === undefined ? lookUp : guardedLookUp(mayConnect);
  // An address that stands for itself is not looked up.
  const host = bareHost(url);
  if (isAddress(host) && mayConnect?.(host) === false) throw new WireFailure("blocked_address");
  const tunnel =
    proxy === undefined
      ? undefined
      : await openTunnel(await openToProxy(proxy, trust, round, watch), url, proxy);
  if (url.protocol === "http:") return tunnel ?? openPlain(url, watch, lookup);
  if (trust === undefined) throw new TypeError("https: without anything to trust");
  const { target } = trust.contexts.at(round);
  const plain =
    beforeTls === undefined ? tunnel : (tunnel ?? (await openPlain(url, watch, lookup)));
  if (plain !== undefined) await beforeTls?.(plain);
  return openSecure(url, target, trust.identityProblem, watch, plain, protocol, lookup);
}

async function openInRounds(
  destination: Destination,
  watch: Watch,
  isOver: () => boolean,
): Promise<Socket> {
  const contexts = destination.trust?.contexts;
  for (let round = contexts?.first ?? 0; ; round += 1) {
    try {
      const socket = await open(destination, round, watch);
      if (contexts !== undefined) contexts.first = round;
      return socket;
    } catch (error) {
      const code = codeOf(error instanceof WireFailure ? error.cause : error);
      const isLast = contexts === undefined || round + 1 >= contexts.rounds;
      if (isLast || isOver() || !isUntrustedCode(code)) throw error;
    }
  }
}

/**
 * Connects to a host. Whatever ends the attempt ends the sockets of it.
 * Rejects with a {@link WireFailure}, with what Node says, or with the signal's reason.
 */
export function connect(
  destination: Destination,
  { timeoutMilliseconds, signal }: ConnectLimits,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const sockets: Socket[] = [];
    let over = false;
    const finish = (): void => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    const fail = (reason: unknown): void => {
      if (over) return;
      finish();
      for (const socket of sockets) socket.destroy();
      reject(reason);
    };
    const stop = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(new WireFailure("connect_timeout")), timeoutMilliseconds);
    signal.addEventListener("abort", stop, { once: true });
    const watch: Watch = (socket) => {
      // Whoever waits for something hears of the error; at other times nobody does.
      socket.on("error", () => {});
      if (over) socket.destroy();
      else sockets.push(socket);
      return socket;
    };
    openInRounds(destination, watch, () => over).then((socket) => {
      if (over) return;
      finish();
      resolve(socket);
    }, fail);
    if (signal.aborted) stop();
  });
}
