// The public entry point `latchkey/server`: exports alone.

export { OidcError, isOidcError } from "./core/errors.ts";
export { expressMiddleware } from "./resource-server/mounts/express-middleware.ts";
export type {
  MiddlewareRequest,
  MiddlewareResponse,
} from "./resource-server/mounts/express-middleware.ts";
export { fastifyPlugin } from "./resource-server/mounts/fastify-plugin.ts";
export type {
  FastifyLike,
  FastifyReplyLike,
  FastifyRequestLike,
} from "./resource-server/mounts/fastify-plugin.ts";
export { fetchHandler } from "./resource-server/mounts/fetch-handler.ts";
export {
  grpcInterceptor,
  identityOf,
  type GrpcInterceptorOptions,
} from "./resource-server/mounts/grpc-interceptor.ts";
export {
  grpcOidcService,
  type GrpcOidcService,
} from "./resource-server/mounts/grpc-oidc-service.ts";
export type {
  GrpcCall,
  GrpcListener,
  GrpcMetadata,
  GrpcStatus,
} from "./resource-server/mounts/grpc-types.ts";
export type { NodeRequest } from "./resource-server/mounts/node-request.ts";
export { upgradeHandler } from "./resource-server/mounts/upgrade-handler.ts";
export { Refusal } from "./resource-server/refusal.ts";
export type { RefusalCode, RefusalDetails } from "./resource-server/refusal.ts";
export { createResourceServer } from "./resource-server/resource-server.ts";
export type { SharedAnswers, SharedLook } from "./resource-server/shared-answers.ts";
export type {
  Advertisement,
  ClientCertificate,
  Identity,
  Issuer,
  IssuerHealth,
  IssuerSettings,
  RequestDemands,
  RequestHeaders,
  ResourceMetadata,
  ResourceServer,
  ResourceServerEvent,
  ResourceServerHealth,
  ResourceServerOptions,
  TokenRequest,
  ValidationMode,
  VerifyOptions,
} from "./resource-server/resource-server-types.ts";
