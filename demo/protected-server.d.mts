// Changes with what protected-server.mjs offers: the types of that file.

export interface ProtectedServer {
  /** The server's address, which is all that its user is told. */
  readonly address: string;
  /** The address that greets. */
  readonly url: string;
  close(): Promise<void>;
}

/** The server accepts JWT access tokens (RFC 9068) of this issuer for itself, and names it with its client. */
export function startProtectedServer(provider: {
  issuer: string;
  clientId: string;
  /** What its tokens are for. Default: its address. */
  audience?: string;
}): Promise<ProtectedServer>;
