// What connections trust, and how they find out: everything that TLS needs, loaded when a connection first needs it.

import { createSecureContexts } from "./secure-contexts.ts";
import type { ClientCertificate, SecureContexts } from "./secure-contexts.ts";
import { identityProblem } from "./server-identity.ts";
import { readTrustedRoots } from "./trust-roots.ts";

/** What connections trust. */
export interface Trust {
  /** Of the roots; see `HttpClient.trustedRoots`. */
  readonly digest: () => string;
  readonly contexts: SecureContexts;
  readonly identityProblem: typeof identityProblem;
}

/**
 * Reads the bundle, if one is named.
 * @throws {OidcError} `ca_bundle_invalid`.
 */
export function readTrust(
  caCertPath: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  clientCertificate: ClientCertificate | undefined,
): Trust {
  const roots = readTrustedRoots(caCertPath, environment);
  return {
    digest: roots.digest,
    contexts: createSecureContexts(roots, clientCertificate),
    identityProblem,
  };
}
