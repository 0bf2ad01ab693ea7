// Calls of a server of Rocketgraph xGT with the session that an access token gets.

import { openServer } from "../grpc/connection.ts";
import type { ConnectOptions, GrpcConnection } from "../grpc/connection-types.ts";
import { XgtSession } from "./session.ts";

/** A connection whose calls name a session. */
export interface XgtConnection extends GrpcConnection {
  /** As the server names who signed in; undefined before the first call. */
  readonly userId: string | undefined;
}

/**
 * A connection to a server of Rocketgraph xGT. At its first call it exchanges an access token for a session
 * (`ProtocolVersion`, `TokenAuthenticate`), and names that session in the metadata `session_token` of every call.
 * A session that the server refuses or has ended is got anew, once for a call, and a token that it refuses is renewed
 * once, as long as nothing was answered yet, and nothing was sent that cannot be sent again. The session is kept alive
 * every 30 minutes while the program runs, and ends with {@link GrpcConnection.close}.
 *
 * @param address `grpcs://host:port`, or on this machine `grpc://host:port`.
 * @throws {OidcError} `invalid_option`, `insecure_url` for `grpc:` to another machine, `ca_bundle_invalid`,
 * `runtime_unavailable` (reason `module_missing`) where `@grpc/grpc-js` is not installed. A call for which there is no
 * session ends with the status of `TokenAuthenticate`; where there is no token it is UNAUTHENTICATED, or UNAVAILABLE
 * where a later call may succeed, and `cause` is the `OidcError`.
 */
export async function connect(address: string, options: ConnectOptions): Promise<XgtConnection> {
  const opened = await openServer(address, options);
  const session = new XgtSession(opened.grpc, opened.plainClient, opened.credential);
  const connection = opened.connection(session, () => session.close());
  return {
    server: connection.server,
    get userId() {
      return session.userId;
    },
    client: (service) => connection.client(service),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
