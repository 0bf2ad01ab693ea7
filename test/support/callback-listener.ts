// Changes when tests of the loopback listener need another way in.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingHttpHeaders, RequestOptions } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { systemClock } from "../../src/core/clock.ts";
import type { LatchkeyEvent } from "../../src/core/events.ts";
import { openCallbackListener } from "../../src/interaction/listener.ts";
import type { CallbackListener, CallbackListenerOptions } from "../../src/interaction/listener.ts";

export const expectedState = "expected-state-3f1c";
/** The callback that counts. */
export const genuine: string = `/callback?code=the-code&state=${expectedState}`;

/** Listeners of a test, with what they reported. */
export interface Listeners {
  readonly events: readonly LatchkeyEvent[];
  readonly open: (changes?: Partial<CallbackListenerOptions>) => Promise<CallbackListener>;
  /** Closes all, and proves that every port can be taken by anybody at once (I3). */
  readonly closeAll: () => Promise<void>;
}

export function createListeners(): Listeners {
  const opened: CallbackListener[] = [];
  const events: LatchkeyEvent[] = [];
  return {
    events,
    async open(changes = {}) {
      const listener = await openCallbackListener({
        host: "127.0.0.1",
        ports: [0],
        path: "/callback",
        responseMode: "query",
        isExpectedState: (candidate) => candidate === expectedState,
        clock: systemClock,
        logger: (event) => events.push(event),
        randomBytes,
        ...changes,
      });
      opened.push(listener);
      return listener;
    },
    async closeAll() {
      events.length = 0;
      const listeners = opened.splice(0);
      await Promise.all(listeners.map((listener) => listener.close()));
      for (const { host, port } of listeners) {
        const holder = await holdPort(host === "localhost" ? "127.0.0.1" : host, port);
        await holder.free();
      }
    },
  };
}

/** A stranger's socket that listens; port 0 is any free one. */
export async function holdPort(
  host: string,
  port = 0,
): Promise<{ readonly port: number; free(): Promise<void> }> {
  const holder = createServer().listen({ host, port, exclusive: true });
  await once(holder, "listening");
  return {
    port: (holder.address() as AddressInfo).port,
    async free() {
      holder.close();
      await once(holder, "close");
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export async function send(
  listener: { readonly port: number },
  path: string,
  { body: form, ...options }: RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  const outgoing = request({
    host: "127.0.0.1",
    port: listener.port,
    path,
    agent: false,
    ...options,
  });
  // What is refused before it is read may end the connection while it is still being sent.
  outgoing.on("error", () => undefined);
  outgoing.end(form);
  const [response] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

/** Sends the callback that counts; gives the path of the outcome page. */
export async function sendGenuine(listener: CallbackListener): Promise<string> {
  const { status, headers } = await send(listener, genuine);
  if (status !== 303) throw new Error(`the genuine callback was answered with ${status}`);
  return headers.location ?? "";
}

/** A connection that is open and says nothing. */
export async function connected(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host });
  await once(socket, "connect");
  socket.on("error", () => undefined);
  return socket;
}
