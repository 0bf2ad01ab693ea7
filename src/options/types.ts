// The option types. Made from the option table by `npm run generate`: change options/table and options/text instead.

import type { Logger } from "../core/events.ts";
import type { PromptHandler } from "../core/prompt.ts";
import type { OidcIssuerSource } from "../core/oidc-issuer.ts";

/** Options of an interactive sign-in. */
export interface InteractiveOptions {
  /**
   * Issuer URL of the OpenID Provider. Locates its discovery document; every `iss` must equal it,
   * character by character. Default: `""`.
   */
  issuer?: string | undefined;
  /** The client that is registered with the provider. Default: `""`. */
  clientId?: string | undefined;
  /**
   * Scopes to request. Undefined: `openid profile email`, or none where the provider lists its
   * scopes without `openid`. Default: `undefined`.
   */
  scopes?: readonly string[] | undefined;
  /**
   * `audience` parameter of the authorization and the token request. Some providers need it for an
   * access token that an API accepts. Default: `undefined`.
   */
  audience?: string | undefined;
  /**
   * With `audience` undefined: take the one that the `server` names; one that names none is an
   * error. Without a server it changes nothing, and each sign-in warns of that
   * (`server_audience_unavailable`). Default: `false`.
   */
  useServerAudience?: boolean | undefined;
  /**
   * PEM bundle that is trusted for every HTTPS call, beside the roots that Node trusts. `~`
   * expands. Read when the first connection is made. Default: `undefined`.
   */
  caCertPath?: string | undefined;
  /**
   * Token cache file instead of the default location. `~` expands. One file holds the sign-ins of
   * every configuration that names it. Default: `undefined`.
   */
  cachePath?: string | undefined;
  /** Token endpoint, in place of the one that discovery names. Default: `undefined`. */
  tokenEndpoint?: string | undefined;
  /**
   * Device authorization endpoint, in place of the one that discovery names. Device flow only.
   * Default: `undefined`.
   */
  deviceAuthorizationEndpoint?: string | undefined;
  /**
   * Which sign-in to use. `auto`: the authorization code flow where an authorization endpoint is
   * known, else the device flow. Default: `"auto"`.
   */
  flow?: "auto" | "auth_code" | "device" | undefined;
  /**
   * Ignore any cached token and always start a new sign-in: tokens older than this object are never
   * used, the one that it obtained is. Default: `false`.
   */
  forceLogin?: boolean | undefined;
  /** Open the URL in the default browser. Either way the URL is shown. Default: `true`. */
  openBrowser?: boolean | undefined;
  /**
   * Authorization endpoint, in place of the one that discovery names. With `tokenEndpoint` set too,
   * no discovery takes place. Default: `undefined`.
   */
  authorizationEndpoint?: string | undefined;
  /**
   * Redirect URI as registered with the provider, sent as it is. Undefined:
   * `http://127.0.0.1:{callbackPort}/callback`. Its path is the listener's; its port too when it is
   * a loopback address and `callbackPort` is not set. Default: `undefined`.
   */
  redirectUri?: string | undefined;
  /**
   * Interface of the temporary listener. One that is not loopback, such as `0.0.0.0` in a
   * container, lets other machines reach the listener while it waits. Default: `"127.0.0.1"`.
   */
  callbackHost?: string | undefined;
  /**
   * Port of the temporary listener. `0`: any free port. A list: the first free one of it. A port on
   * which another sign-in of yours waits for its browser is waited for, as long as
   * `callbackTimeoutSeconds`; one that another program has is an error at once. Default: `8765`.
   */
  callbackPort?: number | readonly number[] | undefined;
  /** Longest wait for the browser's redirect, in seconds. Default: `300`. */
  callbackTimeoutSeconds?: number | undefined;
  /**
   * Send PKCE parameters (S256, RFC 7636), whether the provider advertises them or not, in the
   * device flow too. `false`: none is sent, for providers that reject them; a stolen code is then
   * worth more. Default: `true`.
   */
  pkce?: boolean | undefined;
  /**
   * Secret for client authentication, where the provider wants one. Some want it even of a desktop
   * application; it proves nothing there and is no protection. `""`: the field `client_secret` is
   * sent empty in the body, for providers that want it to be there. On the command line that is
   * `--client-secret-file /dev/null`: an empty variable counts as not set, as everywhere, because
   * job runners leave one where a secret is missing, and an empty file is an error. Default:
   * `undefined`.
   */
  clientSecret?: string | undefined;
  /**
   * Resource that the access token is for: one absolute URI without a fragment, or a list of such
   * (RFC 8707). Sent with each authorization, token and refresh request. Several belong only where
   * the provider issues one token for all of them. Default: `undefined`.
   */
  resource?: string | readonly string[] | undefined;
  /**
   * The provider's key set, in place of the one that discovery names. ID tokens are verified with
   * it. Default: `undefined`.
   */
  jwksUri?: string | undefined;
  /**
   * Adds the scope `offline_access`, and what a provider wants besides for a refresh token
   * (`prompt=consent` where nothing else is set). Default: `false`.
   */
  offlineAccess?: boolean | undefined;
  /**
   * `prompt` parameter of the authorization request (OpenID Connect Core 3.1.2.1). Default:
   * `undefined`.
   */
  prompt?: string | undefined;
  /**
   * Longest time since the person last signed in at the provider, in seconds; `0`: now. Sent as
   * `max_age` with each sign-in; an ID token without `auth_time`, or with an older one, is refused.
   * A cached sign-in and its refreshes are not affected. Default: `undefined`.
   */
  maxAge?: number | undefined;
  /**
   * Authentication context classes to ask for, the preferred one first: the `acr_values` parameter
   * (OpenID Connect Core 3.1.2.1). The provider decides; look at the claim `acr`. Sign-ins with
   * different values are cached apart. Default: `undefined`.
   */
  acrValues?: readonly string[] | undefined;
  /**
   * `login_hint` parameter of the authorization request. Sign-ins with different hints are cached
   * apart. Default: `undefined`.
   */
  loginHint?: string | undefined;
  /**
   * The server that the token is for, which says what is not set here: issuer, client, scopes,
   * audience. An `https:` address (`http:` on loopback) is asked for its protected resource
   * metadata (RFC 9728), a `grpcs:` one (`grpc:` on loopback) by the call GetOidcIssuer; an object
   * is asked by its method `getOidcIssuer`. It is asked at a sign-in alone, and its answer is
   * remembered with the cached token. What is set here wins. Two servers never share a token.
   * Default: `undefined`.
   */
  server?: string | OidcIssuerSource | undefined;
  /**
   * Which server may name the provider. `first-use`: its first answer is accepted and remembered
   * where it cannot phish (a server on loopback, a `clientId` of your own, an issuer on the
   * server's own host), else a person is asked once. `ask`: a person is always asked the first
   * time. `pinned`: only what was accepted before, and a server on loopback; the default of the
   * command line without a terminal. A server that later names another issuer, client or audience,
   * or more scopes, is refused until that is accepted. Default: `"first-use"`.
   */
  trustServer?: "first-use" | "ask" | "pinned" | undefined;
  /**
   * What to do where no client is known for the provider. `dynamic`: one is registered there (RFC
   * 7591), kept with the sign-in and gone with it; where `clientId` is the address of a client id
   * metadata document, only at a provider that takes no such documents. `none`: that is an error.
   * Default: `"none"`.
   */
  registration?: "none" | "dynamic" | undefined;
  /**
   * How many sign-ins may go unanswered within an hour, whichever processes asked, before no more
   * are started by themselves (`login_required`, reason `prompt_budget`). A finished sign-in, a
   * refusal of the person and a sign-in on purpose (`login`) start the count anew. Default: `3`.
   */
  maxUnansweredPrompts?: number | undefined;
  /**
   * How the browser brings the provider's answer: `query`, in the address; `form_post`, as a form
   * that is posted to the redirect URI, so that the code never stands in an address (OAuth 2.0 Form
   * Post Response Mode). With `form_post` there is no address to paste: the browser has to reach
   * the listener. Default: `"query"`.
   */
  responseMode?: "query" | "form_post" | undefined;
  /**
   * Further parameters of the authorization request, by name. Those that Latchkey sets itself
   * (`state`, `nonce`, `redirect_uri` …) are refused. Default: `undefined`.
   */
  extraAuthorizationParams?: Readonly<Record<string, string>> | undefined;
  /**
   * Command that opens a URL, in place of the system's. Split at spaces (quotes group), run without
   * a shell, the URL appended as one argument. Default: `undefined`.
   */
  browserCommand?: string | undefined;
  /**
   * Name of the embedding application: shown on the pages in the browser, and in what an error says
   * to do next. Default: `undefined`.
   */
  applicationName?: string | undefined;
  /**
   * What a person types to sign in to the embedding application, such as `notes login`: an error
   * that can be mended so says it, in place of `login()`. Default: `undefined`.
   */
  signInCommand?: string | undefined;
  /**
   * Longest time for one operation with the provider, its retries included, in seconds. Connecting
   * takes 10 seconds at most. Default: `30`.
   */
  httpTimeoutSeconds?: number | undefined;
  /**
   * Allow `http:` addresses beyond loopback. Everybody on the way can then read the tokens. Set by
   * option or flag only. Default: `false`.
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * How a sign-in is kept that is new. `file`: in plain text, for its user alone (0600).
   * `keychain`: sealed, with the key in the system's keychain (optional package
   * `@napi-rs/keyring`); one in plain text is refused (`cache_insecure`, reason `plain_text`).
   * `auto`: sealed where a keychain can be used, else as `file`, and that is said. A sign-in stays
   * as it is kept, sealed ones are opened whatever this says, and `latchkey cache move` moves them.
   * Without meaning where `store` is set. Default: `"file"`.
   */
  storage?: "auto" | "keychain" | "file" | undefined;
  /**
   * Where sign-ins are kept: any `TokenStore`. Undefined: one file for each configuration, shared
   * by all processes of the user. Default: `undefined`.
   */
  store?: object | undefined;
  /**
   * Receives what a person should see, in place of the default handler, which writes to standard
   * error. Default: `undefined`.
   */
  onPrompt?: PromptHandler | undefined;
  /**
   * Receives an event for each step of the work. Events hold no secret, token or claim. Default:
   * `undefined`.
   */
  logger?: Logger | undefined;
}

/** Options of a sign-in with client credentials. */
export interface ClientOptions {
  /**
   * Issuer URL of the OpenID Provider. Locates its discovery document; every `iss` must equal it,
   * character by character. Default: `""`.
   */
  issuer?: string | undefined;
  /** The client that is registered with the provider. Default: `""`. */
  clientId?: string | undefined;
  /** Scopes to request. Undefined: none are sent, and the provider decides. Default: `undefined`. */
  scopes?: readonly string[] | undefined;
  /**
   * `audience` parameter of the token request. Some providers need it for an access token that an
   * API accepts. Default: `undefined`.
   */
  audience?: string | undefined;
  /**
   * With `audience` undefined: take the one that the `server` names; one that names none is an
   * error. Without a server it changes nothing, and each sign-in warns of that
   * (`server_audience_unavailable`). Default: `false`.
   */
  useServerAudience?: boolean | undefined;
  /**
   * PEM bundle that is trusted for every HTTPS call, beside the roots that Node trusts. `~`
   * expands. Read when the first connection is made. Default: `undefined`.
   */
  caCertPath?: string | undefined;
  /**
   * Token cache file instead of the default location. `~` expands. One file holds the sign-ins of
   * every configuration that names it. Default: `undefined`.
   */
  cachePath?: string | undefined;
  /** Token endpoint, in place of the one that discovery names. Default: `undefined`. */
  tokenEndpoint?: string | undefined;
  /**
   * Taken so that one set of options fits both classes; client credentials make no request to it.
   * Default: `undefined`.
   */
  deviceAuthorizationEndpoint?: string | undefined;
  /** Secret for client authentication. Without one no token can be had. Default: `undefined`. */
  clientSecret?: string | undefined;
  /**
   * Resource that the access token is for: one absolute URI without a fragment, or a list of such
   * (RFC 8707). Sent with each token request. Several belong only where the provider issues one
   * token for all of them. Default: `undefined`.
   */
  resource?: string | readonly string[] | undefined;
  /**
   * The server that the token is for, which says what is not set here: issuer, client, scopes,
   * audience. An `https:` address (`http:` on loopback) is asked for its protected resource
   * metadata (RFC 9728), a `grpcs:` one (`grpc:` on loopback) by the call GetOidcIssuer; an object
   * is asked by its method `getOidcIssuer`. It is asked at a sign-in alone, and its answer is
   * remembered with the cached token. What is set here wins. Two servers never share a token.
   * Default: `undefined`.
   */
  server?: string | OidcIssuerSource | undefined;
  /**
   * Which server may name the provider. `first-use`: its first answer is accepted and remembered
   * where it cannot phish (a server on loopback, a `clientId` of your own, an issuer on the
   * server's own host), else a person is asked once. `ask`: a person is always asked the first
   * time. `pinned`: only what was accepted before, and a server on loopback; the default of the
   * command line without a terminal. A server that later names another issuer, client or audience,
   * or more scopes, is refused until that is accepted. Default: `"first-use"`.
   */
  trustServer?: "first-use" | "ask" | "pinned" | undefined;
  /**
   * Longest time for one operation with the provider, its retries included, in seconds. Connecting
   * takes 10 seconds at most. Default: `30`.
   */
  httpTimeoutSeconds?: number | undefined;
  /**
   * Allow `http:` addresses beyond loopback. Everybody on the way can then read the tokens. Set by
   * option or flag only. Default: `false`.
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * How a sign-in is kept that is new. `file`: in plain text, for its user alone (0600).
   * `keychain`: sealed, with the key in the system's keychain (optional package
   * `@napi-rs/keyring`); one in plain text is refused (`cache_insecure`, reason `plain_text`).
   * `auto`: sealed where a keychain can be used, else as `file`, and that is said. A sign-in stays
   * as it is kept, sealed ones are opened whatever this says, and `latchkey cache move` moves them.
   * Without meaning where `store` is set. Default: `"file"`.
   */
  storage?: "auto" | "keychain" | "file" | undefined;
  /**
   * Where sign-ins are kept: any `TokenStore`. Undefined: one file for each configuration, shared
   * by all processes of the user. Default: `undefined`.
   */
  store?: object | undefined;
  /**
   * Receives an event for each step of the work. Events hold no secret, token or claim. Default:
   * `undefined`.
   */
  logger?: Logger | undefined;
}

/** Every option with its value: given or default. */
export interface ResolvedOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[] | undefined;
  readonly audience: string | undefined;
  readonly useServerAudience: boolean;
  readonly caCertPath: string | undefined;
  readonly cachePath: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly deviceAuthorizationEndpoint: string | undefined;
  readonly flow: "auto" | "auth_code" | "device";
  readonly forceLogin: boolean;
  readonly openBrowser: boolean;
  readonly authorizationEndpoint: string | undefined;
  readonly redirectUri: string | undefined;
  readonly callbackHost: string;
  readonly callbackPort: number | readonly number[];
  readonly callbackTimeoutSeconds: number;
  readonly pkce: boolean;
  readonly clientSecret: string | undefined;
  readonly resource: string | readonly string[] | undefined;
  readonly jwksUri: string | undefined;
  readonly offlineAccess: boolean;
  readonly prompt: string | undefined;
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[] | undefined;
  readonly loginHint: string | undefined;
  readonly server: string | OidcIssuerSource | undefined;
  readonly trustServer: "first-use" | "ask" | "pinned";
  readonly registration: "none" | "dynamic";
  readonly maxUnansweredPrompts: number;
  readonly responseMode: "query" | "form_post";
  readonly extraAuthorizationParams: Readonly<Record<string, string>> | undefined;
  readonly browserCommand: string | undefined;
  readonly applicationName: string | undefined;
  readonly signInCommand: string | undefined;
  readonly httpTimeoutSeconds: number;
  readonly allowInsecureHttp: boolean;
  readonly storage: "auto" | "keychain" | "file";
  readonly store: object | undefined;
  readonly onPrompt: PromptHandler | undefined;
  readonly logger: Logger | undefined;
  /** The names of the options that were given. */
  readonly explicit: ReadonlySet<string>;
}
