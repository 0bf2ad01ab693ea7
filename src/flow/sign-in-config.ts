// What a flow is given: who signs in where, whoever says so; how this program goes about it; and the occasion.

import type { Secret } from "../core/secret.ts";
import type { RecordServer, SessionRecord } from "../record/format.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ClientIdentity } from "../provider/client-authentication.ts";

/** How the client proves that it is the one. */
export type ClientCredential =
  | { readonly kind: "none" }
  /** An empty one proves nothing: it is sent for providers that want the field. */
  | {
      readonly kind: "secret";
      readonly secret: Secret;
      /** Where the provider has said so for this very client. */
      readonly method?: ClientIdentity["knownMethod"];
    };

/** Endpoints that are known without a discovery document; each wins over the document's. */
export interface KnownByConfig {
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly deviceAuthorizationEndpoint: string | undefined;
  readonly jwksUri: string | undefined;
}

/** Who signs in where, and for what. The options say it, or a server does. */
export interface SignInConfig {
  readonly issuer: string;
  /** Whether a resource named the issuer by refusing a request: then the rules for that count. */
  readonly namedByResource: boolean;
  /** Empty: one is to be registered. */
  readonly clientId: string;
  /** Whether a client is registered where none is known. */
  readonly registration: ResolvedOptions["registration"];
  readonly credential: ClientCredential;
  /** Undefined: left to the defaults. */
  readonly scopes: readonly string[] | undefined;
  /** Whether `openid` is requested too, of an OpenID Provider: a server's scopes say nothing of signing in. */
  readonly addsOpenid: boolean;
  readonly audience: string | undefined;
  /** What the access token is for (RFC 8707). */
  readonly resources: readonly string[] | undefined;
  /** What the grant is to cover in addition: other access tokens will be for these. */
  readonly furtherResources: readonly string[] | undefined;
  readonly endpoints: KnownByConfig;
  /** The server that the tokens are for, and what it said. */
  readonly server: RecordServer | undefined;
}

/** How this program goes about a sign-in: ports, times, browser, and what the person is asked to do. No secret. */
export type Settings = Pick<
  ResolvedOptions,
  | "acrValues"
  | "allowInsecureHttp"
  | "applicationName"
  | "browserCommand"
  | "callbackHost"
  | "callbackPort"
  | "callbackTimeoutSeconds"
  | "explicit"
  | "extraAuthorizationParams"
  | "flow"
  | "httpTimeoutSeconds"
  | "loginHint"
  | "maxAge"
  | "offlineAccess"
  | "openBrowser"
  | "pkce"
  | "prompt"
  | "redirectUri"
  | "responseMode"
  | "useServerAudience"
>;

/** The occasion of one sign-in. */
export interface SignInContext {
  readonly signal: AbortSignal;
  /** Awaited before a person is shown anything or a browser is opened: prompts are counted. What it throws ends the sign-in. */
  readonly beforePrompt?: () => Promise<void>;
  /** Called when the browser has brought an answer, whatever becomes of it. */
  readonly onAnswer?: (() => void) | undefined;
  /** How the provider took the client's secret at the sign-in before. */
  readonly knownMethod?: ClientIdentity["knownMethod"];
  /** As which client somebody signed in before, and where. */
  readonly before?: Pick<SessionRecord, "issuer" | "clientId" | "registered"> | undefined;
}

/** Everything that one sign-in is given. */
export interface SignInInput {
  readonly config: SignInConfig;
  readonly settings: Settings;
  readonly context: SignInContext;
}

/** Says who signs in where. */
export interface SignInConfigSource {
  /** The longest that {@link SignInConfigSource.read} takes, in seconds. */
  readonly maxReadSeconds: number;
  /** Before any lock or request. @throws {OidcError} `missing_issuer`, `missing_client_id`. */
  assertConfigured(): void;
  /**
   * What counts for a sign-in that begins now: a server that says it is asked, and its word has to be trusted first.
   * @throws {OidcError} `missing_client_id`, `server_config_failed`, `server_config_changed`, `issuer_untrusted`,
   * `resource_mismatch`, and what the transport throws.
   */
  read(context: Pick<SignInContext, "signal" | "beforePrompt">): Promise<SignInConfig>;
  /** What counts for the sign-in that is kept, whatever a server would say by now: nobody is asked. */
  ofRecord(record: SessionRecord): SignInConfig;
}
