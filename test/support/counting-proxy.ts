// Changes when a test has to count something else of what reaches a provider in another process.
import { once } from "node:events";
import { createServer, request as forwardRequest } from "node:http";
import type { AddressInfo } from "node:net";

const kinds = ["discovery", "jwks", "token", "userinfo", "revocation", "device"] as const;
export type CountedKind = (typeof kinds)[number];

/** Requests of clients, by kind. What a browser asks for is not in it. */
export type RequestTally = Readonly<Record<CountedKind | "total", number>>;

const memberOfKind: Readonly<Record<Exclude<CountedKind, "discovery">, string>> = {
  jwks: "jwks_uri",
  token: "token_endpoint",
  userinfo: "userinfo_endpoint",
  revocation: "revocation_endpoint",
  device: "device_authorization_endpoint",
};

export interface CountingProxy {
  readonly origin: string;
  /** Where requests go from now on; before, they are answered with 503. */
  forwardTo(port: number): void;
  /** Which path is which kind, read from the provider's own discovery document. */
  learn(discoveryDocument: Readonly<Record<string, unknown>>): void;
  count(): RequestTally;
  reset(): void;
  close(): Promise<void>;
}

/**
 * Stands in front of a provider on this machine and counts, without looking into or changing anything: the `Host` that
 * the client named is handed on, so that the provider takes the proxy's address for its own.
 */
export async function startCountingProxy(): Promise<CountingProxy> {
  let targetPort: number | undefined;
  const kindOfPath = new Map<string, CountedKind>();
  let seen: CountedKind[] = [];

  const server = createServer((incoming, response) => {
    const { pathname } = new URL(incoming.url ?? "/", "http://proxy.invalid");
    const kind = pathname.includes("/.well-known/openid-") ? "discovery" : kindOfPath.get(pathname);
    if (kind !== undefined) seen.push(kind);
    if (targetPort === undefined) {
      response.writeHead(503).end();
      return;
    }
    const outgoing = forwardRequest(
      {
        host: "127.0.0.1",
        port: targetPort,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    incoming.pipe(outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Longer than a test, so that no request meets a connection that the server is just closing.
  server.keepAliveTimeout = 60_000;
  const { port } = server.address() as AddressInfo;

  return {
    origin: `http://127.0.0.1:${port}`,
    forwardTo: (next) => {
      targetPort = next;
    },
    learn: (document) => {
      for (const kind of kinds) {
        const url = kind === "discovery" ? undefined : document[memberOfKind[kind]];
        if (typeof url === "string") kindOfPath.set(new URL(url).pathname, kind);
      }
    },
    count: () => {
      const of = (wanted: CountedKind): number => seen.filter((kind) => kind === wanted).length;
      return {
        discovery: of("discovery"),
        jwks: of("jwks"),
        token: of("token"),
        userinfo: of("userinfo"),
        revocation: of("revocation"),
        device: of("device"),
        total: seen.length,
      };
    },
    reset: () => {
      seen = [];
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
