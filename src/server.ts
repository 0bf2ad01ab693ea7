// The public entry point `latchkey/server`: exports alone.

export { OidcError, isOidcError } from "./core/errors.ts";
export { expressMiddleware } from "./resource-server/mounts/express-middleware.ts";
export type {
  MiddlewareRequest,
  MiddlewareResponse,
} from "./resource-server/mounts/express-middleware.ts";
export { fetchHandler } from "./resource-server/mounts/fetch-handler.ts";
export { Refusal } from "./resource-server/refusal.ts";
export type { RefusalCode, RefusalDetails } from "./resource-server/refusal.ts";
export { createResourceServer } from "./resource-server/resource-server.ts";
export type {
  ClientCertificate,
  Identity,
  Issuer,
  IssuerSettings,
  RequestDemands,
  RequestHeaders,
  ResourceMetadata,
  ResourceServer,
  ResourceServerEvent,
  ResourceServerOptions,
  TokenRequest,
  VerifyOptions,
} from "./resource-server/resource-server-types.ts";
