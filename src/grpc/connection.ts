// A connection to a gRPC server whose calls are authorized: one channel, and clients of any service on it.

import type { Client } from "@grpc/grpc-js";
import { OidcError } from "../core/errors.ts";
import type { Credential } from "../core/types.ts";
import { option, say } from "../core/wording.ts";
import { ownOptions } from "../options/own-options.ts";
import { parseGrpcAddress, type GrpcAddress } from "./address.ts";
import { authorizingInterceptor, type AuthorizationSource } from "./authorized-call.ts";
import { channelTarget, tlsCredentials } from "./channel.ts";
import type { ConnectOptions, GrpcConnection } from "./connection-types.ts";
import { loadGrpc, type GrpcModule } from "./peer.ts";

/** A server whose calls can be authorized. */
export interface OpenedServer {
  readonly grpc: GrpcModule;
  readonly address: GrpcAddress;
  readonly credential: Credential;
  /** A client on the channel whose calls are not authorized. */
  readonly plainClient: Client;
  /** The connection of calls with this authorization; `end` runs before it is closed. */
  connection(source: AuthorizationSource, end: () => Promise<void>): GrpcConnection;
}

interface Bindable extends Credential {
  withServer(server: string): Credential;
}

function isBindable(credential: Credential): credential is Bindable {
  return typeof (credential as Partial<Bindable>).withServer === "function";
}

function checked(given: ConnectOptions): ConnectOptions {
  const names = ["auth", "caCertPath", "channelOptions"];
  const { auth, caCertPath, channelOptions } = ownOptions(
    given,
    names,
    "{ auth: new OidcAuth() }",
  ) as Partial<ConnectOptions>;
  if (typeof auth?.getToken !== "function") {
    throw new OidcError("invalid_option", "`auth` is not a credential.", {
      remedy: "Accepted: an object such as new OidcAuth().",
    });
  }
  if (caCertPath !== undefined && typeof caCertPath !== "string") {
    throw new OidcError("invalid_option", say`${option("caCertPath")} is the path of a PEM file.`);
  }
  return { auth, caCertPath, channelOptions };
}

function ownBundle(credential: Credential): string | undefined {
  const { caCertPath } = credential as { caCertPath?: unknown };
  return typeof caCertPath === "string" ? caCertPath : undefined;
}

/** Checks what was given and makes the channel; nothing is sent. */
export async function openServer(address: string, given: ConnectOptions): Promise<OpenedServer> {
  const { auth, caCertPath = ownBundle(auth), channelOptions = {} } = checked(given);
  const parsed = parseGrpcAddress(address);
  const grpc = await loadGrpc();
  const credentials = parsed.isSecure
    ? await tlsCredentials(grpc, caCertPath)
    : grpc.credentials.createInsecure();
  const { target, options } = channelTarget(parsed);
  const bound = isBindable(auth) ? auth.withServer(parsed.server) : undefined;
  const plainClient = new grpc.Client(target, credentials, { ...channelOptions, ...options });
  const channel = plainClient.getChannel();
  return {
    grpc,
    address: parsed,
    plainClient,
    credential: bound ?? auth,
    connection: (source, end) => {
      const interceptors = [authorizingInterceptor(grpc, source)];
      const close = async (): Promise<void> => {
        await end();
        channel.close();
        await bound?.close();
      };
      return {
        server: parsed.server,
        client: (Service) =>
          new Service(target, credentials, { channelOverride: channel, interceptors }),
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
}
