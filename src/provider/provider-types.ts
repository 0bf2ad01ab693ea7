// What a provider is to flows: its metadata, the options that locate it, and the world that requests need.

import type { OidcError } from "../core/errors.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/events.ts";
import type { Warn } from "../core/warning.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { KeySource } from "../keys/key-source.ts";

/** What is known of a provider, validated: a missing endpoint is undefined, never guessed. */
export interface ProviderMetadata {
  /** Byte for byte the configured issuer. */
  readonly issuer: string;
  /** "openid": OpenID Connect discovery; "oauth": RFC 8414; "options": no discovery took place. */
  readonly source: "openid" | "oauth" | "options";
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint?: string;
  readonly deviceAuthorizationEndpoint?: string;
  readonly userinfoEndpoint?: string;
  readonly revocationEndpoint?: string;
  /** OpenID Connect RP-Initiated Logout 1.0 section 2.1. */
  readonly endSessionEndpoint?: string;
  /** RFC 9126; known only where {@link ProviderMetadata.pushedAuthorizationRequired}. */
  readonly pushedAuthorizationEndpoint?: string;
  readonly jwksUri?: string;
  /** RFC 7591. */
  readonly registrationEndpoint?: string;
  /** Whether a client may be named by the address of a document about it. */
  readonly clientIdDocuments?: boolean;
  /** The resources that it issues tokens for; undefined where it does not say. RFC 9728 section 4. */
  readonly protectedResources?: readonly string[];
  readonly scopesSupported?: readonly string[];
  readonly grantTypes?: readonly string[];
  /** RFC 8414 section 2, `code_challenge_methods_supported`. */
  readonly codeChallengeMethods?: readonly string[];
  readonly responseModesSupported?: readonly string[];
  readonly tokenEndpointAuthenticationMethods?: readonly string[];
  readonly idTokenSigningAlgorithms?: readonly string[];
  readonly userinfoSigningAlgorithms?: readonly string[];
  /** RFC 9207: an authorization response without `iss` is refused. */
  readonly issParameterSupported: boolean;
  /** RFC 9126 section 5: authorization requests are accepted by PAR alone. */
  readonly pushedAuthorizationRequired: boolean;
  /** Endpoints that cannot be used and that the flow does without: by the document's name, what is wrong with each. */
  readonly unusable?: Readonly<Record<string, OidcError>>;
}

/** The options that locate a provider. Endpoints given here win over metadata, each alone. */
export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly authorizationEndpoint?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly deviceAuthorizationEndpoint?: string | undefined;
  readonly jwksUri?: string | undefined;
  readonly allowInsecureHttp: boolean;
  readonly flow: "auto" | "auth_code" | "device" | "client";
  /** Whether a resource named the issuer by refusing a request: then discovery has MCP's order. Default: false. */
  readonly namedByResource?: boolean | undefined;
  /** Longest time for discovery, all its well-known forms together, in seconds. Default 30. */
  readonly httpTimeoutSeconds?: number | undefined;
}

/** What requests to a provider need from outside. */
export interface ProviderWorld {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** Cryptographically strong random bytes. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** The folder that has `providers/`; undefined: metadata and keys are remembered in memory alone. */
  readonly cacheFolder: string | undefined;
  readonly onWarning: Warn;
}

/** An opened provider. */
export interface Provider {
  readonly metadata: ProviderMetadata;
  /** The provider's keys, from the cache or fetched. */
  readonly keys: KeySource;
  readonly options: ProviderOptions;
  /** Starts to load the keys in the background, where none are cached. Errors are kept until the keys are needed. */
  prefetchKeys(signal?: AbortSignal): void;
  /** Forgets the cached metadata and keys, so that the next `openProvider` discovers anew. */
  forgetCached(): Promise<void>;
}
