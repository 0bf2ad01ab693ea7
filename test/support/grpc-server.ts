// Servers of HTTP/2 for tests: one of `@grpc/grpc-js`, and one that answers byte for byte as it is told.
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { ServiceDefinition } from "@grpc/grpc-js";
import type { LeafCertificate } from "./certificates.ts";

/** A service and what answers it. */
export interface GrpcService {
  readonly definition: object;
  readonly implementation: UntypedServiceImplementation;
}

export interface RunningGrpcServer {
  /** `grpcs://127.0.0.1:PORT`, or `grpc://…`. */
  readonly address: string;
  readonly port: number;
  close(): void;
}

function addressOf(port: number, tls: unknown): string {
  return `${tls === undefined ? "grpc" : "grpcs"}://127.0.0.1:${String(port)}`;
}

/** A server of `@grpc/grpc-js` on a free port; over plain text without a certificate. */
export async function startGrpcServer(
  services: readonly GrpcService[],
  tls?: Pick<LeafCertificate, "certificate" | "key">,
): Promise<RunningGrpcServer> {
  const server = new Server();
  for (const { definition, implementation } of services) {
    server.addService(definition as ServiceDefinition, implementation);
  }
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) },
        ]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: addressOf(port, tls), port, close: () => server.forceShutdown() };
}

/** A request as it came: its path, its other fields, its body. */
export interface SeenStream {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Does what it likes with one request. */
export type StreamBehaviour = (stream: ServerHttp2Stream, seen: SeenStream) => void;

export interface HostileGrpcServer extends RunningGrpcServer {
  readonly requests: SeenStream[];
  behave(behaviour: StreamBehaviour): void;
}

/** A server of HTTP/2 that knows nothing of gRPC but what `behaviour` does. */
export async function startHostileGrpcServer(
  tls?: Pick<LeafCertificate, "certificate" | "key">,
): Promise<HostileGrpcServer> {
  const requests: SeenStream[] = [];
  let behave: StreamBehaviour = (stream) => stream.close();
  const server =
    tls === undefined
      ? createServer()
      : createSecureServer({ cert: tls.certificate, key: tls.key });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    session.on("error", () => {});
    sessions.add(session);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => {
      const seen = { path: String(headers[":path"]), headers, body: Buffer.concat(chunks) };
      requests.push(seen);
      behave(stream, seen);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: addressOf(port, tls),
    port,
    requests,
    behave: (behaviour) => {
      behave = behaviour;
    },
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

/** Answers with a body and then these trailers. */
export function grpcReply(
  body: Uint8Array,
  trailers: Readonly<Record<string, string>> = { "grpc-status": "0" },
  headers: Readonly<Record<string, string>> = {},
): StreamBehaviour {
  return (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", ...headers },
      { waitForTrailers: true },
    );
    stream.once("wantTrailers", () => stream.sendTrailers({ ...trailers }));
    stream.end(body);
  };
}

/** Answers with a status alone, as for a method that does not exist. */
export function grpcStatus(code: number, message = ""): StreamBehaviour {
  return (stream) =>
    stream.respond(
      {
        ":status": 200,
        "content-type": "application/grpc",
        "grpc-status": String(code),
        "grpc-message": message,
      },
      { endStream: true },
    );
}
