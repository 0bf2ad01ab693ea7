// Whether a certificate is for the host that was asked for.

import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import { isAddress } from "../core/hosts.ts";

/**
 * What Node does by default, without the function of Node that an embedding program may have replaced for its own
 * connections.
 * @param hostname without brackets.
 * @see RFC 9525 section 6
 */
export function identityProblem(hostname: string, shown: PeerCertificate): Error | undefined {
  // Some ways of TLS show no certificate, whatever the types say.
  const certificate = shown.raw instanceof Uint8Array ? new X509Certificate(shown.raw) : undefined;
  const match = isAddress(hostname)
    ? certificate?.checkIP(hostname)
    : certificate?.checkHost(hostname, { partialWildcards: false });
  if (match !== undefined) return undefined;
  const code = "ERR_TLS_CERT_ALTNAME_INVALID";
  return Object.assign(new Error(code), { code });
}
