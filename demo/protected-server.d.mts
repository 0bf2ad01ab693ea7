// Changes with what protected-server.mjs offers: the types of that file.

export interface ProtectedServer {
  /** The address that greets. */
  readonly url: string;
  close(): Promise<void>;
}

/** The server accepts JWT access tokens (RFC 9068) of this issuer for this audience. */
export function startProtectedServer(expected: {
  issuer: string;
  audience: string;
}): Promise<ProtectedServer>;
