// The options in their shortest form. Made from the option table by `npm run generate`: change options/table instead.

/** Every option of the table. */
export type OptionName =
  | "issuer"
  | "clientId"
  | "scopes"
  | "audience"
  | "useServerAudience"
  | "caCertPath"
  | "cachePath"
  | "tokenEndpoint"
  | "deviceAuthorizationEndpoint"
  | "flow"
  | "forceLogin"
  | "openBrowser"
  | "authorizationEndpoint"
  | "redirectUri"
  | "callbackHost"
  | "callbackPort"
  | "callbackTimeoutSeconds"
  | "pkce"
  | "clientSecret"
  | "resource"
  | "jwksUri"
  | "offlineAccess"
  | "prompt"
  | "maxAge"
  | "acrValues"
  | "loginHint"
  | "server"
  | "trustServer"
  | "registration"
  | "maxUnansweredPrompts"
  | "responseMode"
  | "extraAuthorizationParams"
  | "browserCommand"
  | "applicationName"
  | "signInCommand"
  | "httpTimeoutSeconds"
  | "allowInsecureHttp"
  | "storage"
  | "store"
  | "onPrompt"
  | "logger";

/**
 * The options in the key of a record, by their places: name, flag, kind, and whether they are for a person alone.
 * An empty place is kept for an option that is still to come.
 */
export const keyOptions: readonly (
  | readonly [name: string, flag: string, kind: string, forPersonAlone: boolean]
  | undefined
)[] = [
  ["issuer", "issuer", "issuer", false],
  ["server", "server", "server", false],
  ["clientId", "client-id", "text", false],
  ["scopes", "scopes", "scopes", false],
  ["audience", "audience", "text", false],
  ["resource", "resource", "resources", false],
  ["tokenEndpoint", "token-endpoint", "endpoint", false],
  ["loginHint", "login-hint", "text", true],
  ["extraAuthorizationParams", "extra-authorization-params", "parameters", true],
  ["acrValues", "acr-values", "acrValues", true],
  ["useServerAudience", "use-server-audience", "boolean", false],
  ["registration", "registration", "registration", true],
];

/**
 * The flags of options that are variables too, each with its kind or with `=` and its accepted words: what the warm
 * command knows of them. One text, because every byte of it is compiled at every start.
 */
export const optionKinds: string =
  " issuer:issuer client-id:text scopes:scopes audience:text use-server-audience:boolean " +
  "ca-cert-path:path cache-path:path token-endpoint:endpoint " +
  "device-authorization-endpoint:endpoint flow:=auto|auth_code|device force-login:boolean " +
  "open-browser:boolean authorization-endpoint:endpoint redirect-uri:redirectUri " +
  "callback-host:host callback-port:port callback-timeout-seconds:seconds pkce:boolean " +
  "client-secret:secret resource:resources jwks-uri:endpoint offline-access:boolean " +
  "prompt:=none|login|consent|select_account|create max-age:age acr-values:acrValues " +
  "login-hint:text server:server trust-server:=first-use|ask|pinned " +
  "registration:=none|dynamic max-unanswered-prompts:count response-mode:=query|form_post " +
  "browser-command:command application-name:text http-timeout-seconds:seconds " +
  "storage:=auto|keychain|file ";
