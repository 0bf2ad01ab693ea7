// What each option means, in the words of `--help` and of the reference table. Changes when a wording does.

/** The words for one option. */
export interface OptionText {
  /** One line, for `--help`: no full stop. */
  readonly summary: string;
  /** The whole meaning, with unit, limits and risk, for the documentation and the editor. */
  readonly meaning: string;
  /** The meaning for client credentials, where no person is present, if it is another one. */
  readonly clientMeaning?: string;
  /** What a value looks like, for `--help`; absent for booleans. */
  readonly placeholder?: string;
  /** Where `--help` lists it; absent for one that has no flag. */
  readonly group?: OptionGroup;
}

/** What options are about, in the order of `--help`. */
export const optionGroups = [
  "Which sign-in",
  "Signing in",
  "Provider, where discovery is not to be used",
  "Network",
  "Cache",
] as const;

/** One of them. */
export type OptionGroup = (typeof optionGroups)[number];

/** By option name, those of one group in the order of `--help`; a test holds it complete against the table. */
export const optionTexts: Readonly<Record<string, OptionText>> = {
  issuer: {
    summary: "issuer URL of the OpenID Provider",
    meaning:
      "Issuer URL of the OpenID Provider. Locates its discovery document; every `iss` must equal it, character by character.",
    placeholder: "URL",
    group: "Which sign-in",
  },
  clientId: {
    summary: "client registered with the provider",
    meaning: "The client that is registered with the provider.",
    placeholder: "ID",
    group: "Which sign-in",
  },
  scopes: {
    summary: "scopes to request, separated by spaces",
    meaning:
      "Scopes to request. Undefined: `openid profile email`, or none where the provider lists its scopes without `openid`.",
    clientMeaning: "Scopes to request. Undefined: none are sent, and the provider decides.",
    placeholder: '"A B"',
    group: "Which sign-in",
  },
  audience: {
    summary: "audience of the token request, where the provider wants one",
    meaning:
      "`audience` parameter of the authorization and the token request. Some providers need it for an access token that an API accepts.",
    clientMeaning:
      "`audience` parameter of the token request. Some providers need it for an access token that an API accepts.",
    placeholder: "VALUE",
    group: "Which sign-in",
  },
  useServerAudience: {
    summary: "take the audience from the server's configuration",
    meaning:
      "With `audience` undefined: take the one that the `server` names; one that names none is an error. Without a server it changes nothing, and each sign-in warns of that (`server_audience_unavailable`).",
    group: "Which sign-in",
  },
  resource: {
    summary: "resource that the token is for (RFC 8707), or several in quotes",
    meaning:
      "Resource that the access token is for: one absolute URI without a fragment, or a list of such (RFC 8707). Sent with each authorization, token and refresh request. Several belong only where the provider issues one token for all of them.",
    clientMeaning:
      "Resource that the access token is for: one absolute URI without a fragment, or a list of such (RFC 8707). Sent with each token request. Several belong only where the provider issues one token for all of them.",
    placeholder: "URI",
    group: "Which sign-in",
  },
  acrValues: {
    summary: "ways of signing in to ask for, separated by spaces",
    meaning:
      "Authentication context classes to ask for, the preferred one first: the `acr_values` parameter (OpenID Connect Core 3.1.2.1). The provider decides; look at the claim `acr`. Sign-ins with different values are cached apart.",
    placeholder: '"A B"',
    group: "Which sign-in",
  },
  loginHint: {
    summary: "account to sign in with, as a hint to the provider",
    meaning:
      "`login_hint` parameter of the authorization request. Sign-ins with different hints are cached apart.",
    placeholder: "NAME",
    group: "Which sign-in",
  },
  flow: {
    summary: "auto, auth_code or device",
    meaning:
      "Which sign-in to use. `auto`: the authorization code flow where an authorization endpoint is known, else the device flow.",
    placeholder: "FLOW",
    group: "Signing in",
  },
  forceLogin: {
    summary: "ignore the cached token and sign in anew",
    meaning:
      "Ignore any cached token and always start a new sign-in: tokens older than this object are never used, the one that it obtained is.",
    group: "Signing in",
  },
  openBrowser: {
    summary: "open the URL in the default browser",
    meaning: "Open the URL in the default browser. Either way the URL is shown.",
    group: "Signing in",
  },
  browserCommand: {
    summary: "command that opens a URL, with its arguments",
    meaning:
      "Command that opens a URL, in place of the system's. Split at spaces (quotes group), run without a shell, the URL appended as one argument.",
    placeholder: "COMMAND",
    group: "Signing in",
  },
  prompt: {
    summary: "prompt parameter: login, consent, select_account or none",
    meaning: "`prompt` parameter of the authorization request (OpenID Connect Core 3.1.2.1).",
    placeholder: "VALUE",
    group: "Signing in",
  },
  maxAge: {
    summary: "longest time since the person signed in, in seconds",
    meaning:
      "Longest time since the person last signed in at the provider, in seconds; `0`: now. Sent as `max_age` with each sign-in; an ID token without `auth_time`, or with an older one, is refused. A cached sign-in and its refreshes are not affected.",
    placeholder: "SECONDS",
    group: "Signing in",
  },
  offlineAccess: {
    summary: "ask for a refresh token (scope offline_access)",
    meaning:
      "Adds the scope `offline_access`, and what a provider wants besides for a refresh token (`prompt=consent` where nothing else is set).",
    group: "Signing in",
  },
  pkce: {
    summary: "send PKCE parameters",
    meaning:
      "Send PKCE parameters (S256, RFC 7636), whether the provider advertises them or not, in the device flow too. `false`: none is sent, for providers that reject them; a stolen code is then worth more.",
    group: "Signing in",
  },
  redirectUri: {
    summary: "registered redirect URI, sent as it is",
    meaning:
      "Redirect URI as registered with the provider, sent as it is. Undefined: `http://127.0.0.1:{callbackPort}/callback`. Its path is the listener's; its port too when it is a loopback address and `callbackPort` is not set.",
    placeholder: "URL",
    group: "Signing in",
  },
  responseMode: {
    summary: "how the answer comes back: query or form_post",
    meaning:
      "How the browser brings the provider's answer: `query`, in the address; `form_post`, as a form that is posted to the redirect URI, so that the code never stands in an address (OAuth 2.0 Form Post Response Mode). With `form_post` there is no address to paste: the browser has to reach the listener.",
    placeholder: "MODE",
    group: "Signing in",
  },
  callbackHost: {
    summary: "interface of the temporary listener",
    meaning:
      "Interface of the temporary listener. One that is not loopback, such as `0.0.0.0` in a container, lets other machines reach the listener while it waits.",
    placeholder: "HOST",
    group: "Signing in",
  },
  callbackPort: {
    summary: "port of the temporary listener, or several in quotes; 0: any free one",
    meaning:
      "Port of the temporary listener. `0`: any free port. A list: the first free one of it. A port on which another sign-in of yours waits for its browser is waited for, as long as `callbackTimeoutSeconds`; one that another program has is an error at once.",
    placeholder: "PORT",
    group: "Signing in",
  },
  callbackTimeoutSeconds: {
    summary: "longest wait for the browser, in seconds",
    meaning: "Longest wait for the browser's redirect, in seconds.",
    placeholder: "SECONDS",
    group: "Signing in",
  },
  server: {
    summary: "server that says which provider to use: its https:, grpc: or grpcs: address",
    meaning:
      "The server that the token is for, which says what is not set here: issuer, client, scopes, audience. An `https:` address (`http:` on loopback) is asked for its protected resource metadata (RFC 9728), a `grpcs:` one (`grpc:` on loopback) by the call GetOidcIssuer; an object is asked by its method `getOidcIssuer`. It is asked at a sign-in alone, and its answer is remembered with the cached token. What is set here wins. Two servers never share a token.",
    placeholder: "ADDRESS",
    group: "Signing in",
  },
  trustServer: {
    summary: "which server may name the provider: first-use, ask or pinned",
    meaning:
      "Which server may name the provider. `first-use`: its first answer is accepted and remembered where it cannot phish (a server on loopback, a `clientId` of your own, an issuer on the server's own host), else a person is asked once. `ask`: a person is always asked the first time. `pinned`: only what was accepted before, and a server on loopback; the default of the command line without a terminal. A server that later names another issuer, client or audience, or more scopes, is refused until that is accepted.",
    placeholder: "WHEN",
    group: "Signing in",
  },
  registration: {
    summary: "register a client where none is known: none or dynamic",
    meaning:
      "What to do where no client is known for the provider. `dynamic`: one is registered there (RFC 7591), kept with the sign-in and gone with it; where `clientId` is the address of a client id metadata document, only at a provider that takes no such documents. `none`: that is an error.",
    placeholder: "HOW",
    group: "Which sign-in",
  },
  maxUnansweredPrompts: {
    summary: "unanswered sign-ins in an hour before no more are started",
    meaning:
      "How many sign-ins may go unanswered within an hour, whichever processes asked, before no more are started by themselves (`login_required`, reason `prompt_budget`). A finished sign-in, a refusal of the person and a sign-in on purpose (`login`) start the count anew.",
    placeholder: "COUNT",
    group: "Signing in",
  },
  applicationName: {
    summary: "name shown on the pages in the browser",
    meaning:
      "Name of the embedding application: shown on the pages in the browser, and in what an error says to do next.",
    placeholder: "NAME",
    group: "Signing in",
  },
  signInCommand: {
    summary: "what a person types to sign in",
    meaning:
      "What a person types to sign in to the embedding application, such as `notes login`: an error that can be mended so says it, in place of `login()`.",
  },
  authorizationEndpoint: {
    summary: "authorization endpoint instead of the discovered one",
    meaning:
      "Authorization endpoint, in place of the one that discovery names. With `tokenEndpoint` set too, no discovery takes place.",
    placeholder: "URL",
    group: "Provider, where discovery is not to be used",
  },
  tokenEndpoint: {
    summary: "token endpoint instead of the discovered one",
    meaning: "Token endpoint, in place of the one that discovery names.",
    placeholder: "URL",
    group: "Provider, where discovery is not to be used",
  },
  deviceAuthorizationEndpoint: {
    summary: "device authorization endpoint instead of the discovered one",
    meaning:
      "Device authorization endpoint, in place of the one that discovery names. Device flow only.",
    clientMeaning:
      "Taken so that one set of options fits both classes; client credentials make no request to it.",
    placeholder: "URL",
    group: "Provider, where discovery is not to be used",
  },
  jwksUri: {
    summary: "key set of the provider instead of the discovered one",
    meaning:
      "The provider's key set, in place of the one that discovery names. ID tokens are verified with it.",
    placeholder: "URL",
    group: "Provider, where discovery is not to be used",
  },
  caCertPath: {
    summary: "PEM file with further trusted roots",
    meaning:
      "PEM bundle that is trusted for every HTTPS call, beside the roots that Node trusts. `~` expands. Read when the first connection is made.",
    placeholder: "FILE",
    group: "Network",
  },
  httpTimeoutSeconds: {
    summary: "longest time for one operation with the provider, in seconds",
    meaning:
      "Longest time for one operation with the provider, its retries included, in seconds. Connecting takes 10 seconds at most.",
    placeholder: "SECONDS",
    group: "Network",
  },
  allowInsecureHttp: {
    summary: "allow http: beyond this machine (not for real tokens)",
    meaning:
      "Allow `http:` addresses beyond loopback. Everybody on the way can then read the tokens. Set by option or flag only.",
    group: "Network",
  },
  cachePath: {
    summary: "token cache file instead of the default",
    meaning:
      "Token cache file instead of the default location. `~` expands. One file holds the sign-ins of every configuration that names it.",
    placeholder: "FILE",
    group: "Cache",
  },
  storage: {
    summary: "how a new sign-in is kept: auto, keychain or file",
    meaning:
      "How a sign-in is kept that is new. `file`: in plain text, for its user alone (0600). `keychain`: sealed, with the key in the system's keychain (optional package `@napi-rs/keyring`); one in plain text is refused (`cache_insecure`, reason `plain_text`). `auto`: sealed where a keychain can be used, else as `file`, and that is said. A sign-in stays as it is kept, sealed ones are opened whatever this says, and `latchkey cache move` moves them. Without meaning where `store` is set.",
    placeholder: "PLACE",
    group: "Cache",
  },
  clientSecret: {
    summary: "secret of a confidential client",
    meaning:
      'Secret for client authentication, where the provider wants one. Some want it even of a desktop application; it proves nothing there and is no protection. `""`: the field `client_secret` is sent empty in the body, for providers that want it to be there. On the command line that is `--client-secret-file /dev/null`: an empty variable counts as not set, as everywhere, because job runners leave one where a secret is missing, and an empty file is an error.',
    clientMeaning: "Secret for client authentication. Without one no token can be had.",
    placeholder: "SECRET",
  },
  extraAuthorizationParams: {
    summary: "further parameters of the authorization request",
    meaning:
      "Further parameters of the authorization request, by name. Those that Latchkey sets itself (`state`, `nonce`, `redirect_uri` …) are refused.",
  },
  store: {
    summary: "where sign-ins are kept",
    meaning:
      "Where sign-ins are kept: any `TokenStore`. Undefined: one file for each configuration, shared by all processes of the user.",
  },
  onPrompt: {
    summary: "shows prompts in place of the terminal",
    meaning:
      "Receives what a person should see, in place of the default handler, which writes to standard error.",
  },
  logger: {
    summary: "receives events",
    meaning: "Receives an event for each step of the work. Events hold no secret, token or claim.",
  },
};
