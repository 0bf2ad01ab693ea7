// Channels to a gRPC server: what they trust, and where they lead.

import { callbackify } from "node:util";
import type { CallCredentials, ChannelCredentials, ChannelOptions, Metadata } from "@grpc/grpc-js";
import { isOidcError } from "../core/errors.ts";
import { isLocalhostName } from "../core/hosts.ts";
import { loadPart } from "../core/load.ts";
import type { Credential } from "../core/types.ts";
import { absolutePath, thisMachine } from "../options/paths.ts";
import type { GrpcAddress } from "./address.ts";
import type { GrpcModule } from "./peer.ts";
import { unauthenticated } from "./status.ts";

/**
 * TLS with the roots that Node trusts and those of a bundle, verified whatever the embedding program did to Node's own
 * defaults (S04).
 * @throws {OidcError} `ca_bundle_invalid`.
 */
export async function tlsCredentials(
  grpc: GrpcModule,
  caCertPath: string | undefined,
): Promise<ChannelCredentials> {
  const { readTrust } = await loadPart(() => import("../http/trust.ts"));
  const path = caCertPath === undefined ? undefined : absolutePath(caCertPath, thisMachine());
  const { contexts, identityProblem } = readTrust(path, process.env, undefined);
  // The last of them trusts all: a channel cannot try one after the other.
  const { target } = contexts.at(contexts.rounds - 1);
  return grpc.ChannelCredentials.createFromSecureContext(target, {
    rejectUnauthorized: true,
    checkServerIdentity: (host, certificate) => identityProblem(host, certificate),
  });
}

/** A token in the metadata of each call. `@grpc/grpc-js` sends such metadata over TLS alone. */
export function bearerCallCredentials(grpc: GrpcModule, credential: Credential): CallCredentials {
  const metadataOf = async (): Promise<Metadata> => {
    try {
      const { token } = await credential.getToken();
      const metadata = new grpc.Metadata();
      metadata.set("authorization", `Bearer ${token}`);
      return metadata;
    } catch (error) {
      // Without a code the call would end with UNKNOWN.
      const message = isOidcError(error) ? error.message : "no token";
      throw Object.assign(new Error(message, { cause: error }), { code: unauthenticated });
    }
  };
  return grpc.credentials.createFromMetadataGenerator(
    callbackify(async (_call: unknown) => metadataOf()),
  );
}

/** Where a channel leads, and its options that decide about that: they win over anybody else's. */
export interface ChannelTarget {
  readonly target: string;
  readonly options: ChannelOptions;
}

/** What follows from an address. */
export function channelTarget({ isSecure, host }: GrpcAddress): ChannelTarget {
  if (isSecure) return { target: host, options: {} };
  const { hostname, port } = new URL(`http://${host}`);
  return {
    // Over plain text to this machine: `localhost` is not looked up, since a resolver may answer anything, and a proxy of
    // the environment would be another machine.
    target: isLocalhostName(hostname) ? `127.0.0.1:${port === "" ? "80" : port}` : host,
    options: { "grpc.enable_http_proxy": 0 },
  };
}
