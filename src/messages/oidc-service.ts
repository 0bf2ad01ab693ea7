// The messages of latchkey.v1.OidcService. Made from proto/latchkey/v1/oidc_service.proto by `npm run generate`: change that instead.

import { messageCodec, unaryMethod, type MessageCodec, type UnaryMethod } from "./protobuf.ts";

/** `latchkey.v1.GetOidcIssuerRequest`. */
export type GetOidcIssuerRequest = object;

const getOidcIssuerRequestCodec: MessageCodec<GetOidcIssuerRequest> = messageCodec([]);

/** `latchkey.v1.GetOidcIssuerResponse`. */
export interface GetOidcIssuerResponse {
  /** The issuer URL: https:, or http: on loopback. */
  readonly issuer: string;
  /** False where the server takes tokens and does not say whose. */
  readonly configured: boolean;
  /** The client that is registered with the provider for the users of this server. */
  readonly clientId: string;
  /** The audience that a token needs. Empty: none. */
  readonly audience: string;
  /** The scopes to ask for, separated by spaces. Empty: the client's own choice. */
  readonly scopes: string;
}

const getOidcIssuerResponseCodec: MessageCodec<GetOidcIssuerResponse> = messageCodec([
  { number: 2, name: "issuer", type: "string" },
  { number: 3, name: "configured", type: "bool" },
  { number: 4, name: "clientId", type: "string" },
  { number: 5, name: "audience", type: "string" },
  { number: 6, name: "scopes", type: "string" },
]);

/** Answers without any authentication: whoever asks has no token yet. */
export const oidcService: {
  readonly getOidcIssuer: UnaryMethod<GetOidcIssuerRequest, GetOidcIssuerResponse>;
} = {
  getOidcIssuer: unaryMethod(
    "/latchkey.v1.OidcService/GetOidcIssuer",
    getOidcIssuerRequestCodec,
    getOidcIssuerResponseCodec,
  ),
};
