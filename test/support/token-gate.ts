// Stands before a token endpoint, counts what comes and can keep one request or its answer. Changes when a test has to
// stop a request at another point.
import { once } from "node:events";
import { createServer, request as forwardRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** What is kept of the next request: itself, so that the provider never sees it, or only its answer. */
export type Kept = "request" | "answer";

/** A way to one token endpoint. */
export interface TokenGate {
  /** For `tokenEndpoint`. */
  readonly url: string;
  /** Requests since the last reset. */
  count(): number;
  reset(): void;
  /** Keeps one request; resolves as soon as that has happened. */
  keep(kept: Kept): Promise<void>;
  close(): Promise<void>;
}

/** Opens a way to the token endpoint of a provider on this machine. */
export async function openTokenGate(endpoint: string): Promise<TokenGate> {
  const target = new URL(endpoint);
  let requests = 0;
  let keep: { readonly kept: Kept; readonly done: () => void } | undefined;
  const server = createServer((incoming, response) => {
    requests += 1;
    const mine = keep;
    keep = undefined;
    if (mine?.kept === "request") {
      mine.done();
      return;
    }
    const outgoing = forwardRequest(
      target,
      {
        method: incoming.method,
        headers: { ...incoming.headers, host: target.host },
        agent: false,
      },
      (answer) => {
        if (mine !== undefined) {
          answer.resume();
          answer.once("end", mine.done);
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}${target.pathname}`,
    count: () => requests,
    reset: () => {
      requests = 0;
    },
    keep: (kept) =>
      new Promise((resolve) => {
        keep = { kept, done: resolve };
      }),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
