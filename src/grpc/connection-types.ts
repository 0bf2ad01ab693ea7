// What a connection to a gRPC server is made of and gives, as the public entries have it: types alone.

import type { ChannelCredentials, ChannelOptions, Client, ClientOptions } from "@grpc/grpc-js";
import type { Credential } from "../core/types.ts";

/** What a connection needs in addition to the address. */
export interface ConnectOptions {
  /**
   * Whose tokens the calls carry. One that can be bound to a server (`withServer`) is: the server then says which
   * provider to use, where the credential does not, and the token goes to no other server.
   */
  readonly auth: Credential;
  /**
   * PEM file of roots that are trusted in addition to those of Node, for the connection to the server. `~` expands.
   * Default: the credential's own `caCertPath`.
   */
  readonly caCertPath?: string | undefined;
  /** Options of the channel, as `@grpc/grpc-js` documents them. Default: none. */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** The class of a service's client, as `@grpc/grpc-js` and the generators for it make them. */
export type GrpcClientClass<Made extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
) => Made;

/** A connection whose calls are authorized. It is made at the first call. */
export interface GrpcConnection {
  /** The server's address as it is written always. */
  readonly server: string;
  /** A client of one of the server's services; any number of them share the connection. */
  client<Made extends Client>(service: GrpcClientClass<Made>): Made;
  /** Ends the connection, and the work of the credential that was bound to it. What was given as `auth` stays open. */
  close(): Promise<void>;
  /** The same as {@link GrpcConnection.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
