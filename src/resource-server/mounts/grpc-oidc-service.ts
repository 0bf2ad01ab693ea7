// Answers the gRPC call by which a server says which provider to use, under both of its names.

import { adminService, type GetOidcIssuerResponse } from "../../messages/admin-service.ts";
import { oidcService } from "../../messages/oidc-service.ts";
import type { ResourceServer } from "../resource-server-types.ts";

/** The two methods; both answers have one layout. */
type Methods = {
  readonly getOidcIssuer: typeof oidcService.getOidcIssuer;
  readonly getOidcIssuerOfAdminService: typeof adminService.getOidcIssuer;
};

const service: Methods = {
  getOidcIssuer: oidcService.getOidcIssuer,
  getOidcIssuerOfAdminService: adminService.getOidcIssuer,
};

/** Their paths: neither needs a token. */
export const issuerPaths: readonly string[] = Object.values(service).map(({ path }) => path);

/** What {@link grpcOidcService} gives to `addService`. */
export interface GrpcOidcService {
  readonly service: Methods;
  readonly implementation: {
    readonly [Name in keyof Methods]: (
      call: unknown,
      callback: (error: null, answer: GetOidcIssuerResponse) => void,
    ) => void;
  };
}

/**
 * The service for `server.addService(service, implementation)` of `@grpc/grpc-js`: it answers `GetOidcIssuer` as
 * `latchkey.v1.OidcService` and as `xgtproto.AdminService`, which clients of the reference system ask. With several
 * issuers it names the first.
 */
export function grpcOidcService(server: ResourceServer): GrpcOidcService {
  const { issuer, clientId = "", audience = "", scopes } = server.advertisement;
  const answer: GetOidcIssuerResponse = {
    error: [],
    issuer,
    configured: true,
    clientId,
    audience,
    scopes: scopes.join(" "),
  };
  const say = (
    _call: unknown,
    callback: (error: null, answer: GetOidcIssuerResponse) => void,
  ): void => callback(null, answer);
  return {
    service,
    implementation: { getOidcIssuer: say, getOidcIssuerOfAdminService: say },
  };
}
