// One request to the server, over a connection that was kept or a new one, and the head of its answer.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { emit } from "../core/events.ts";
import { hostAndPort } from "../core/hosts.ts";
import { serverSteps } from "../core/server-steps.ts";
import type { Dialled, Dialer } from "../http/exchange.ts";
import { requestOver } from "../http/http-request.ts";

/** What is sent. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, as the client wrote them. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Writes the body, or ends the request. */
  readonly write: (outgoing: ClientRequest) => void;
  /** Whether it may be sent a second time where a kept connection breaks before an answer. */
  readonly mayResend: () => boolean;
}

/** The head of an answer. */
export interface UpstreamAnswer {
  readonly incoming: IncomingMessage;
  /** Where the protocol was changed: the connection, and what came behind the head. */
  readonly changed?: { readonly socket: Socket; readonly head: Buffer };
  /** Gives it up, without reading much of it. */
  readonly discard: () => void;
}

/** Longest body that is read to its end so that its connection can be used again, in bytes. */
const maxDiscardedBytes: number = 64 * 1024;

function serverSeconds({ headers }: IncomingMessage): number | undefined {
  const seconds = /(?:^|[\s,])timeout=(\d{1,9})/i.exec(String(headers["keep-alive"] ?? ""))?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

function exchangeOver(
  connection: Dialled,
  url: URL,
  { method, target, headers, signal, write }: UpstreamRequest,
): Promise<UpstreamAnswer> {
  const { socket } = connection;
  return new Promise((resolve, reject) => {
    const outgoing = requestOver(socket, {
      method,
      target,
      headers: { connection: "keep-alive", ...headers, host: url.host },
    });
    let answered: IncomingMessage | undefined;
    const stop = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    // Once the head has come, whoever reads the body hears of it.
    outgoing.on("error", reject);
    outgoing.once("response", (incoming) => {
      incoming.on("error", () => {});
      answered = incoming;
      const discard = (): void => {
        const length = Number(incoming.headers["content-length"] ?? Number.NaN);
        if (outgoing.writableFinished && length <= maxDiscardedBytes) incoming.resume();
        else socket.destroy();
      };
      resolve({ incoming, discard });
    });
    outgoing.once("upgrade", (incoming, changed, head) => {
      signal.removeEventListener("abort", stop);
      const discard = (): void => void changed.destroy();
      resolve({ incoming, changed: { socket: changed, head }, discard });
    });
    outgoing.once("close", () => {
      signal.removeEventListener("abort", stop);
      if (answered === undefined) return;
      const isFree = answered.complete && outgoing.writableFinished;
      if (isFree && !socket.destroyed && socket.writable) connection.keep(serverSeconds(answered));
      else socket.destroy();
    });
    if (signal.aborted) stop();
    write(outgoing);
  });
}

/**
 * Sends it. Rejects with `OidcError` `network`, `timeout`, `tls`, `ca_bundle_invalid`; with the signal's reason.
 */
export async function sendUpstream(
  dialer: Dialer,
  url: URL,
  request: UpstreamRequest,
): Promise<UpstreamAnswer> {
  const { signal, method } = request;
  const step = serverSteps.request;
  const host = hostAndPort(url);
  for (let isNew = false; ; isNew = true) {
    const connection = await dialer.dial({ url, step, signal, isNew });
    emit(undefined, "http.request", { method, host, step });
    const startedAt = performance.now();
    try {
      const answer = await exchangeOver(connection, url, request);
      const status = answer.incoming.statusCode ?? 0;
      const milliseconds = Math.round(performance.now() - startedAt);
      emit(undefined, "http.response", { host, step, status, milliseconds });
      return answer;
    } catch (thrown) {
      connection.socket.destroy();
      signal.throwIfAborted();
      // The server closed it just when the request was sent.
      if (connection.wasKept && !isNew && request.mayResend()) continue;
      throw connection.explain(thrown);
    }
  }
}
