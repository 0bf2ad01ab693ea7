// Calls of a gRPC server with a bearer token: a connection, or the credentials for one of the caller's own.

import type { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import type { Credential } from "../core/types.ts";
import type { AuthorizationSource } from "./authorized-call.ts";
import { bearerCallCredentials, tlsCredentials } from "./channel.ts";
import { openServer } from "./connection.ts";
import type { ConnectOptions, GrpcConnection } from "./connection-types.ts";
import { loadGrpc } from "./peer.ts";

function bearerSource(credential: Credential): AuthorizationSource {
  return {
    obtain: async (rejected, signal) => {
      const { token } = await credential.getToken({ rejectedToken: rejected, signal });
      return { name: "authorization", value: `Bearer ${token}`, secret: token };
    },
  };
}

/**
 * A connection to a gRPC server whose calls carry `authorization: Bearer …`, with a token that is valid. The person
 * signs in at the first call, where that is needed. A call that the server refuses with UNAUTHENTICATED is sent once
 * more with a renewed token, as long as nothing was answered yet, and nothing was sent that cannot be sent again.
 *
 * @param address `grpcs://host:port`, or on this machine `grpc://host:port`.
 * @throws {OidcError} `invalid_option`, `insecure_url` for `grpc:` to another machine, `ca_bundle_invalid`,
 * `runtime_unavailable` (reason `module_missing`) where `@grpc/grpc-js` is not installed. A call for which there is no
 * token ends with UNAUTHENTICATED, or UNAVAILABLE where a later one may succeed; its `cause` is the `OidcError`.
 */
export async function connect(address: string, options: ConnectOptions): Promise<GrpcConnection> {
  const opened = await openServer(address, options);
  return opened.connection(bearerSource(opened.credential), () => Promise.resolve());
}

/**
 * Call credentials of `@grpc/grpc-js` that add `authorization: Bearer …` to each call, for TLS channels of the caller's
 * own. They do not learn of a refusal: {@link connect} renews a token that the server refuses.
 * @throws {OidcError} `runtime_unavailable`.
 */
export async function callCredentials(credential: Credential): Promise<CallCredentials> {
  return bearerCallCredentials(await loadGrpc(), credential);
}

/**
 * TLS channel credentials with {@link callCredentials}, for channels of the caller's own.
 * @param options `caCertPath`: PEM file of roots that are trusted in addition to those of Node. Default: none.
 * @throws {OidcError} `ca_bundle_invalid`, `runtime_unavailable`.
 */
export async function channelCredentials(
  credential: Credential,
  { caCertPath }: { readonly caCertPath?: string | undefined } = {},
): Promise<ChannelCredentials> {
  const grpc = await loadGrpc();
  const secure = await tlsCredentials(grpc, caCertPath);
  return grpc.credentials.combineChannelCredentials(
    secure,
    bearerCallCredentials(grpc, credential),
  );
}
