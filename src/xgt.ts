// The public entry point `latchkey/xgt`: exports alone.

export type { AccessToken, Credential } from "./core/types.ts";
export { adminService } from "./messages/admin-service.ts";
export type { ConnectOptions, GrpcClientClass } from "./grpc/connection-types.ts";
export type { UnaryMethod } from "./messages/protobuf.ts";
export { connect, type XgtConnection } from "./xgt/connect.ts";
