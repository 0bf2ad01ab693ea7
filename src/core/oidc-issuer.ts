// A server that the embedding program asks for its provider by itself: types alone.

/** What a server's own call for its issuer gives. */
export interface OidcIssuer {
  readonly issuer: string;
  readonly clientId?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly audience?: string | undefined;
}

/** A server that a program asks by itself, over a connection of its own. */
export interface OidcIssuerSource {
  /**
   * The server's address: its sign-ins are kept, and what it says is pinned, under this name. Without one both last as
   * long as the object.
   */
  readonly address?: string | undefined;
  getOidcIssuer(): Promise<OidcIssuer>;
}
