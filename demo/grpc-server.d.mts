// Changes with what grpc-server.mjs offers: the types of that file.

import type { Client } from "@grpc/grpc-js";

export interface ProtectedGrpcServer {
  /** The server's address, which is all that its user is told. */
  readonly address: string;
  close(): void;
}

/** The server accepts JWT access tokens of this issuer for itself, and names it with its client. */
export function startGrpcServer(provider: {
  issuer: string;
  clientId: string;
}): Promise<ProtectedGrpcServer>;

/** A client of its service, as generators make one. */
export class Greeter extends Client {
  hello(): Promise<string>;
}
