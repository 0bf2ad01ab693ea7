// The messages of xgtproto.AdminService. Made from proto/xgtproto/admin_service.proto by `npm run generate`: change that instead.

import { messageCodec, unaryMethod, type MessageCodec, type UnaryMethod } from "./protobuf.ts";

/** What went wrong, where the call itself came to an answer. */
export interface Error {
  /** Zero is none. An enumeration in the server's own files; the same bytes. */
  readonly code: number;
  readonly message: string;
  readonly detail: string;
}

const errorCodec: MessageCodec<Error> = messageCodec([
  { number: 1, name: "code", type: "int32" },
  { number: 2, name: "message", type: "string" },
  { number: 3, name: "detail", type: "string" },
]);

/** `xgtproto.ProtocolVersion`. */
export interface ProtocolVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const protocolVersionCodec: MessageCodec<ProtocolVersion> = messageCodec([
  { number: 1, name: "major", type: "int32" },
  { number: 2, name: "minor", type: "int32" },
  { number: 3, name: "patch", type: "int32" },
]);

/** `xgtproto.GetOidcIssuerRequest`. */
export type GetOidcIssuerRequest = object;

const getOidcIssuerRequestCodec: MessageCodec<GetOidcIssuerRequest> = messageCodec([]);

/** `xgtproto.GetOidcIssuerResponse`. */
export interface GetOidcIssuerResponse {
  readonly error: readonly Error[];
  readonly issuer: string;
  readonly configured: boolean;
  readonly clientId: string;
  readonly audience: string;
  readonly scopes: string;
}

const getOidcIssuerResponseCodec: MessageCodec<GetOidcIssuerResponse> = messageCodec([
  { number: 1, name: "error", type: errorCodec, label: "repeated" },
  { number: 2, name: "issuer", type: "string" },
  { number: 3, name: "configured", type: "bool" },
  { number: 4, name: "clientId", type: "string" },
  { number: 5, name: "audience", type: "string" },
  { number: 6, name: "scopes", type: "string" },
]);

/** `xgtproto.ProtocolVersionRequest`. */
export interface ProtocolVersionRequest {
  readonly protocolVersion: ProtocolVersion | undefined;
}

const protocolVersionRequestCodec: MessageCodec<ProtocolVersionRequest> = messageCodec([
  { number: 1, name: "protocolVersion", type: protocolVersionCodec },
]);

/** `xgtproto.ProtocolVersionResponse`. */
export interface ProtocolVersionResponse {
  readonly error: readonly Error[];
  readonly protocolVersion: ProtocolVersion | undefined;
}

const protocolVersionResponseCodec: MessageCodec<ProtocolVersionResponse> = messageCodec([
  { number: 1, name: "error", type: errorCodec, label: "repeated" },
  { number: 2, name: "protocolVersion", type: protocolVersionCodec },
]);

/** `xgtproto.TokenAuthenticateRequest`. */
export interface TokenAuthenticateRequest {
  readonly accessToken: string;
  readonly protocolVersion: ProtocolVersion | undefined;
}

const tokenAuthenticateRequestCodec: MessageCodec<TokenAuthenticateRequest> = messageCodec([
  { number: 1, name: "accessToken", type: "string" },
  { number: 2, name: "protocolVersion", type: protocolVersionCodec },
]);

/** `xgtproto.AuthenticateResponse`. */
export interface AuthenticateResponse {
  readonly error: readonly Error[];
  /** Goes as metadata `session_token` with each later call. */
  readonly sessionToken: string;
  readonly userid: string;
  readonly protocolVersion: ProtocolVersion | undefined;
  readonly clientSettings: Readonly<Record<string, string>>;
}

const authenticateResponseCodec: MessageCodec<AuthenticateResponse> = messageCodec([
  { number: 1, name: "error", type: errorCodec, label: "repeated" },
  { number: 2, name: "sessionToken", type: "string" },
  { number: 3, name: "userid", type: "string" },
  { number: 4, name: "protocolVersion", type: protocolVersionCodec },
  { number: 5, name: "clientSettings", type: "string", label: "map" },
]);

/** `xgtproto.KeepAliveSessionRequest`. */
export type KeepAliveSessionRequest = object;

const keepAliveSessionRequestCodec: MessageCodec<KeepAliveSessionRequest> = messageCodec([]);

/** `xgtproto.KeepAliveSessionResponse`. */
export interface KeepAliveSessionResponse {
  readonly error: readonly Error[];
}

const keepAliveSessionResponseCodec: MessageCodec<KeepAliveSessionResponse> = messageCodec([
  { number: 1, name: "error", type: errorCodec, label: "repeated" },
]);

/** `xgtproto.CloseSessionRequest`. */
export type CloseSessionRequest = object;

const closeSessionRequestCodec: MessageCodec<CloseSessionRequest> = messageCodec([]);

/** `xgtproto.CloseSessionResponse`. */
export interface CloseSessionResponse {
  readonly error: readonly Error[];
}

const closeSessionResponseCodec: MessageCodec<CloseSessionResponse> = messageCodec([
  { number: 1, name: "error", type: errorCodec, label: "repeated" },
]);

/** `xgtproto.AdminService`, for `@grpc/grpc-js`. */
export const adminService: {
  readonly getOidcIssuer: UnaryMethod<GetOidcIssuerRequest, GetOidcIssuerResponse>;
  readonly protocolVersion: UnaryMethod<ProtocolVersionRequest, ProtocolVersionResponse>;
  readonly tokenAuthenticate: UnaryMethod<TokenAuthenticateRequest, AuthenticateResponse>;
  readonly keepAliveSession: UnaryMethod<KeepAliveSessionRequest, KeepAliveSessionResponse>;
  readonly closeSession: UnaryMethod<CloseSessionRequest, CloseSessionResponse>;
} = {
  /** Which provider to use. Needs no session. */
  getOidcIssuer: unaryMethod(
    "/xgtproto.AdminService/GetOidcIssuer",
    getOidcIssuerRequestCodec,
    getOidcIssuerResponseCodec,
  ),
  /** Whether the two can speak with each other. Needs no session. */
  protocolVersion: unaryMethod(
    "/xgtproto.AdminService/ProtocolVersion",
    protocolVersionRequestCodec,
    protocolVersionResponseCodec,
  ),
  /** A session for an access token. Needs no session. */
  tokenAuthenticate: unaryMethod(
    "/xgtproto.AdminService/TokenAuthenticate",
    tokenAuthenticateRequestCodec,
    authenticateResponseCodec,
  ),
  /** A session ends when nothing is heard of its client. */
  keepAliveSession: unaryMethod(
    "/xgtproto.AdminService/KeepAliveSession",
    keepAliveSessionRequestCodec,
    keepAliveSessionResponseCodec,
  ),
  closeSession: unaryMethod(
    "/xgtproto.AdminService/CloseSession",
    closeSessionRequestCodec,
    closeSessionResponseCodec,
  ),
};
