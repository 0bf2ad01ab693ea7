// The public entry point `latchkey/grpc`: exports alone.

export type { AccessToken, Credential } from "./core/types.ts";
export { callCredentials, channelCredentials, connect } from "./grpc/connect.ts";
export type { ConnectOptions, GrpcClientClass, GrpcConnection } from "./grpc/connection-types.ts";
export {
  oidcService,
  type GetOidcIssuerRequest,
  type GetOidcIssuerResponse,
} from "./messages/oidc-service.ts";
export type { UnaryMethod } from "./messages/protobuf.ts";
