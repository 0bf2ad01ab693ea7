// The one origin that tokens go to. Changes when a token may go to others.

import { OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost, isLocalhostName } from "../core/hosts.ts";

/** The origin of the server that a credential, or its options, are bound to, where they are. */
function originOf(boundTo: object): string | undefined {
  const { server } = boundTo as { readonly server?: unknown };
  const { address = server } = (typeof server === "object" ? (server ?? {}) : {}) as {
    readonly address?: unknown;
  };
  if (typeof address !== "string") return undefined;
  return URL.parse(address.replace(/^grpc/i, "http"))?.origin;
}

/** Only this machine is spoken to without TLS. A name below `localhost` is looked up by the embedding program's client. */
function maySend({ protocol, hostname }: URL): boolean {
  if (protocol === "https:") return true;
  const isNameBelow = isLocalhostName(hostname) && hostname !== "localhost";
  return protocol === "http:" && isLoopbackHost(hostname) && !isNameBelow;
}

/**
 * Refuses an address that no token is sent to.
 * @throws {OidcError} `insecure_url`.
 */
export function assertMaySend(url: URL): void {
  if (maySend(url)) return;
  throw new OidcError(
    "insecure_url",
    `No token is sent to ${hostAndPort(url)}: its address is not an https: URL (http: only on loopback).`,
    { remedy: "Use its https: address." },
  );
}

/** The origin of a credential's server, else that of the first request. */
export class TokenOrigin {
  #origin: string | undefined;

  /** @param boundTo a credential, or its options. */
  constructor(boundTo: object = {}) {
    this.#origin = originOf(boundTo);
  }

  /**
   * Whether a request to this address has the token.
   * @throws {OidcError} `insecure_url` for the first one, without TLS and beyond this machine.
   */
  isFor(url: URL): boolean {
    if (this.#origin === undefined) {
      assertMaySend(url);
      this.#origin = url.origin;
    }
    return url.origin === this.#origin;
  }
}
