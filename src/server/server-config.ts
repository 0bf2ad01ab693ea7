// What a server says about the provider to use, and how it is asked: types alone.

/** What a server said, already validated and bounded. */
export interface ServerConfig {
  /** An https URL, or http on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[] | undefined;
  readonly audience: string | undefined;
  readonly resource: string | undefined;
}

/** A server that can be asked. */
export interface ServerConfigSource {
  /** The canonical address: the key of its pin. */
  readonly server: string;
  readonly host: string;
  ask(signal: AbortSignal | undefined): Promise<ServerConfig>;
}
