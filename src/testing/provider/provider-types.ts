// What the test provider takes and gives. Changes when an embedding program's tests must see or steer more of it.

import type { PromptHandler } from "../../core/prompt.ts";
import type { TokenStore } from "../../store/token-store.ts";
import type { ServerRequest } from "../http-server.ts";

/** Who signs in at the test provider. */
export interface TestPerson {
  /** The claim `sub`. */
  readonly subject: string;
  /** Further claims of the ID token and the userinfo answer, such as `name` and `email`. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What the person does in the browser: agrees at once, refuses (`access_denied`), or closes the window, so that nobody
 * ever comes back to the program.
 */
export type TestPersonAnswer = "agrees" | "refuses" | "leaves";

/** An endpoint of the test provider. */
export type TestProviderEndpoint =
  | "discovery"
  | "jwks"
  | "authorization"
  | "device"
  | "token"
  | "userinfo"
  | "introspection"
  | "revocation";

/** An error answer of the test provider. */
export interface TestProviderError {
  /** The HTTP status. */
  readonly status: number;
  /** The member `error` of a JSON answer (RFC 6749 section 5.2). Default: none, and an empty answer. */
  readonly error?: string | undefined;
  /** The member `error_description`. Default: none. */
  readonly errorDescription?: string | undefined;
  /** Further headers, such as `retry-after`. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * How an endpoint fails: by an error answer, by a connection that breaks before anything was done (`reset`), by one that
 * breaks when everything was done (`lost`: a code is used up, a refresh token is rotated, and the answer never comes), or
 * by saying nothing until the provider is closed (`silent`).
 */
export type TestProviderFailure = TestProviderError | "reset" | "lost" | "silent";

/** Options of {@link startTestProvider}. */
export interface TestProviderOptions {
  /** Port on 127.0.0.1. Default: any free one. */
  readonly port?: number | undefined;
  /** The one client that is registered, for any loopback redirect URI. Default: `test-client`. */
  readonly clientId?: string | undefined;
  /** Makes it a confidential client: the secret is required, in a Basic header or in the body. Default: a public client. */
  readonly clientSecret?: string | undefined;
  /** Who signs in. Default: `alice`, with a name and an e-mail address. */
  readonly person?: TestPerson | undefined;
  /** Lifetime of access tokens and ID tokens in seconds. Default: 3600. */
  readonly tokenLifetimeSeconds?: number | undefined;
  /**
   * Whether a sign-in has a refresh token: a new one with each refresh, so that an old one which comes again ends the
   * sign-in (`rotating`), the same one for good (`lasting`), or none. Default: `rotating`.
   * @see RFC 9700 section 4.14.2
   */
  readonly refreshTokens?: "rotating" | "lasting" | "none" | undefined;
  /**
   * Makes access tokens signed JWTs (RFC 9068) for this audience, or for the `resource` that a request names. Default:
   * opaque access tokens.
   */
  readonly audience?: string | undefined;
}

/** Options of `OidcAuth` with which it signs in at the test provider without a person. */
export interface TestSignInOptions {
  issuer: string;
  clientId: string;
  clientSecret?: string;
  /** Any free port. */
  callbackPort: number;
  /** No browser of this machine opens. */
  openBrowser: boolean;
  onPrompt: PromptHandler;
  /** In memory, the same one for every call. */
  store: TokenStore;
}

/** A request that the test provider got. */
export type TestProviderRequest = ServerRequest;

/** An OpenID Provider for tests, in this process: real requests and signatures, and no person. */
export interface TestProvider {
  /** Its issuer URL, `http:` on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client. */
  readonly clientSecret: string | undefined;
  /**
   * A command for the option `browserCommand`, here or in a program that the test starts: the address that it is given is
   * opened by the test provider's own person.
   */
  readonly browserCommand: string;
  /** A handler for the option `onPrompt`: opens what it is shown, as the person would. */
  readonly onPrompt: PromptHandler;
  /** Options for `new OidcAuth(…)`: a sign-in that needs nobody, and a store in memory. */
  signInOptions(): TestSignInOptions;
  /**
   * Opens an address as the person's browser would, and follows it to its end: the program's own page, or the provider's.
   * @throws {Error} for an address beyond this machine, and where the provider shows an error.
   */
  readonly open: (url: string) => Promise<void>;
  /** Who signs in from now on. */
  setPerson(person: TestPerson): void;
  /** What the person does from now on. Default: `agrees`. */
  setPersonAnswer(answer: TestPersonAnswer): void;
  /** Lifetime of the tokens that are made from now on, in seconds. */
  setTokenLifetime(seconds: number): void;
  /** Whether an access token was made here, has not ended and was not revoked: for a protected server of the test. */
  readonly accepts: (accessToken: string) => boolean;
  /** Ends every access token of before, for `accepts`, userinfo and introspection: what clients report as `rejectedToken`. */
  endAccessTokens(): void;
  /** Ends every sign-in: a refresh is answered with `invalid_grant`. */
  endSignIns(): void;
  /**
   * Lets an endpoint fail, the newest failure first.
   * @param times how many requests; default: all until the result is called.
   * @returns takes the failure away.
   */
  fail(endpoint: TestProviderEndpoint, failure: TestProviderFailure, times?: number): () => void;
  /** How many requests came to each endpoint since the start or the last reset, failed ones included. */
  requests(): Readonly<Record<TestProviderEndpoint, number>>;
  /** The requests to one endpoint since then, in the order of their arrival. They hold codes, verifiers and tokens. */
  received(endpoint: TestProviderEndpoint): readonly TestProviderRequest[];
  /** Counts and lists start anew. */
  resetRequests(): void;
  /** Closes the socket and every connection; rejects with what went wrong in the person's browser, if anything did. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
