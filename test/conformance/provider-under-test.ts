// Changes when a check needs to know or do something else with a provider.
import type { RequestTally } from "../support/counting-proxy.ts";

export interface TestClient {
  readonly clientId: string;
  readonly clientSecret?: string;
}

export type ClientKind = "public" | "confidential";

/** How a provider differs from the others, observed; the checks hold it to each of these. */
export interface ProviderFacts {
  /** Scopes of a sign-in that gives a refresh token and an ID token. */
  readonly scopes: readonly string[];
  /** Whether the redirect names the issuer (RFC 9207), and whether discovery says so. */
  readonly iss: "advertised" | "unadvertised";
  /** Which kinds of clients the provider always refuses without PKCE. */
  readonly needsPkce: readonly ClientKind[];
  /** Whether the redirect comes back to a registered port alone, against RFC 8252 section 7.3. */
  readonly exactPort: boolean;
  readonly idTokenAlgorithm: "RS256" | "EdDSA";
  /** The letters in which it answers `token_type`. */
  readonly tokenType: "Bearer" | "bearer";
  readonly refreshGivesIdToken: boolean;
  /** `error` that a wrong secret meets. */
  readonly wrongSecretReason: "invalid_client" | "unauthorized_client";
  /** Whether a refresh with a wrong secret is told apart from one with a dead token; else the token dies of it. */
  readonly wrongSecretAtRefresh: "told" | "untold";
  readonly publicRevocation: "yes" | "failed";
  /** How a person refuses; a word why it can't be done here. */
  readonly denial: "page" | { readonly impossible: string };
  readonly deviceDenial: "page" | { readonly impossible: string };
  /** Which of the clients may use the device flow. */
  readonly deviceClients: readonly ClientKind[];
  readonly clientCredentialsScopes: readonly string[] | undefined;
  /** How a resource server can verify its access tokens. */
  readonly accessTokens: {
    /** Whose tokens the confidential client may ask about. */
    readonly client: ClientKind;
    readonly form: "jwt" | "opaque";
    /** What they name as their audience; undefined: nothing. */
    readonly audience: string | undefined;
    readonly introspection: "yes" | { readonly impossible: string };
    readonly userinfo: "yes" | { readonly impossible: string };
  };
  /** Whether a client that sends its secret in the body can sign in; a word why not. */
  readonly secretInBody: "yes" | { readonly impossible: string };
}

export interface Visit {
  /** Press what refuses. */
  readonly deny?: boolean;
  /** Changes the redirect to the client on its way, as an attacker in the browser would. */
  readonly rewrite?: (redirect: URL) => void;
}

/** What the person saw last. */
export interface VisitEnd {
  readonly status: number;
  readonly isBackAtClient: boolean;
}

/** A provider that nobody here wrote, running. */
export interface ProviderUnderTest {
  readonly issuer: string;
  /** With https: the private authority, as PEM and as a file. */
  readonly certificateAuthority?: { readonly pem: string; readonly path: string };
  readonly clients: {
    readonly public: TestClient;
    readonly confidential: Required<TestClient>;
    readonly confidentialPost?: Required<TestClient>;
    /** A confidential one that may do without PKCE, where the other may not. */
    readonly confidentialWithoutPkce?: Required<TestClient>;
  };
  /** A port of the client that is registered; 0 where any will do. */
  readonly callbackPort: number;
  /** Lets discovery list no other client authentication than a secret in the body; the result undoes it. */
  listOnlySecretInBody?(): () => void;
  /** The person signs in at an authorization URL. */
  signIn(url: string, visit: Visit): Promise<VisitEnd>;
  /** The person enters a code. */
  approveDevice(device: { verificationUri: string; userCode: string }, visit: Visit): Promise<void>;
  /** What clients asked for since the last reset; undefined where nobody can count. */
  readonly requests?: { count(): RequestTally; reset(): void };
  /** Ends every process and removes every file. */
  close(): Promise<void>;
}

/** A provider that can be launched. */
export interface ProviderDescription {
  readonly name: string;
  readonly facts: ProviderFacts;
  /** What is missing on this machine, in a sentence; "" where nothing is. */
  readonly missing: string;
  launch(options: { tls: boolean }): Promise<ProviderUnderTest>;
}
