// What of `@grpc/grpc-js` the mounts use, so that a server without gRPC needs no package for its types.

/** The metadata of a call. */
export interface GrpcMetadata {
  get(key: string): readonly (string | Uint8Array)[];
  set(key: string, value: string): void;
  remove(key: string): void;
  clone(): GrpcMetadata;
  getMap(): Readonly<Record<string, unknown>>;
}

/** How a call ends. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata?: GrpcMetadata | null | undefined;
}

/** Who is told of what comes from the client. */
export interface GrpcListener {
  onReceiveMetadata(metadata: GrpcMetadata): void;
  onReceiveMessage(message: unknown): void;
  onReceiveHalfClose(): void;
  onCancel(): void;
}

/** A call as an interceptor gets it. */
export interface GrpcCall {
  start(listener: GrpcListener): void;
  sendStatus(status: GrpcStatus): void;
  getAuthContext?(): object;
}
