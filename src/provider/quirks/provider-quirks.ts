// What can be exceptional about a provider.

/** The exceptions of one provider. Each is applied at the one point that its name says. */
export interface ProviderQuirks {
  /** Host names of issuers that behave so. */
  readonly issuerHosts: readonly string[];
  /** authorizationRequest: what asks for a refresh token, in place of the scope `offline_access`. */
  readonly offlineAccessParameters?: Readonly<Record<string, string>>;
  /** authorizationRequest: no nonce is sent, because its ID tokens have none whatever was sent. */
  readonly omitsNonce?: true;
  /** tokenResponse: algorithms of ID tokens that its metadata does not list; HMAC with the client secret alone. */
  readonly unlistedIdTokenAlgorithms?: readonly string[];
  /** discovery: what an issuer must end with, for its document to name that issuer. */
  readonly issuerEnding?: string;
  /** refresh: the request is refused without `scope`. */
  readonly refreshNeedsScope?: true;
  /** tokenResponse: the issuer that discovery and ID tokens name instead of the configured one. */
  readonly multiTenantIssuer?: {
    /** The path segment that stands for many tenants, and what the discovery document has in its place. */
    readonly segments: readonly string[];
    readonly placeholder: string;
    /** The claim that has the tenant, and what it looks like. */
    readonly claim: string;
    readonly pattern: RegExp;
  };
}
