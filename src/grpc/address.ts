// The address of a gRPC server: `grpc://host:port` on this machine, `grpcs://host:port` everywhere.

import { OidcError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";

/** A gRPC server's address, read and checked. */
export interface GrpcAddress {
  /** As it is written always, with its port: `grpcs://data.example.com:443`. */
  readonly server: string;
  /** `host:port`. */
  readonly host: string;
  /** Whether the connection is TLS. Without it, the host is this machine. */
  readonly isSecure: boolean;
  /** Where its methods are over HTTP/2, without a slash at the end. */
  readonly origin: string;
}

const example = "grpcs://data.example.com:443";

/**
 * Reads the address of a gRPC server. Without a port it is 443, or 80 for `grpc:`.
 * @throws {OidcError} `invalid_option` for what is no such address; `insecure_url` for `grpc:` to another machine.
 */
export function parseGrpcAddress(address: string): GrpcAddress {
  const [, scheme = "", rest = ""] = /^(grpcs?):(\/\/.*)$/is.exec(address) ?? [];
  const isSecure = scheme.toLowerCase() === "grpcs";
  // Of these schemes alone a URL's host is read as one, in its shortest form.
  const url = rest === "" ? null : URL.parse(`${isSecure ? "https" : "http"}:${rest}`);
  const isBare =
    url !== null &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === "" &&
    /^\/\/[^/?#\\\s]+\/?$/.test(rest);
  if (!isBare) {
    throw new OidcError(
      "invalid_option",
      `The address of a gRPC server is a scheme, a host and a port alone, such as ${example}.`,
    );
  }
  const host = `${url.hostname}:${url.port === "" ? (isSecure ? "443" : "80") : url.port}`;
  if (!isSecure && !isLoopbackHost(url.hostname)) {
    throw new OidcError(
      "insecure_url",
      `grpc: to ${host} is neither encrypted nor vouched for by anybody, so nothing was sent.`,
      { remedy: "Use grpcs:. Only a server on this machine can be reached by grpc:." },
    );
  }
  return { server: `${isSecure ? "grpcs" : "grpc"}://${host}`, host, isSecure, origin: url.origin };
}
