// The one list of options, as data without prose: every other view of an option is made from it. Changes when an
// option is added.

/** What an option's value is. It decides the type, the validation and how text is read from flags and files. */
export type OptionKind =
  | "issuer"
  | "endpoint"
  | "redirectUri"
  | "text"
  | "secret"
  | "scopes"
  | "resources"
  | "acrValues"
  | "boolean"
  | "path"
  | "flow"
  | "responseMode"
  | "trust"
  | "registration"
  | "storage"
  | "server"
  | "prompt"
  | "host"
  | "port"
  | "seconds"
  | "age"
  | "count"
  | "command"
  | "parameters"
  | "store"
  | "function";

/** The accepted words of the kinds that are lists of words. */
export const wordsOfKind: Readonly<
  Record<
    "flow" | "responseMode" | "prompt" | "trust" | "storage" | "registration",
    readonly string[]
  >
> = {
  flow: ["auto", "auth_code", "device"],
  responseMode: ["query", "form_post"],
  trust: ["first-use", "ask", "pinned"],
  registration: ["none", "dynamic"],
  storage: ["auto", "keychain", "file"],
  prompt: ["none", "login", "consent", "select_account", "create"],
};

/** One option. */
export interface OptionRow {
  /** Name as a property and constructor option. */
  readonly name: string;
  /** Name on the reference page, where the option stands there. */
  readonly reference?: string;
  readonly kind: OptionKind;
  readonly default: string | number | boolean | undefined;
  /**
   * For an option of which two values must not share a cached sign-in: its place in the key of a record
   * (`record/key.ts`). Never changed; a new option takes the next place from 11 on.
   */
  readonly keyPlace?: number;
  /**
   * Where text can set the option: "all" (flag, environment, profile), "secret" (environment, file and standard
   * input, never an argument), "flag" (flag alone), "none" (an object or a function).
   */
  readonly text: "all" | "secret" | "flag" | "none";
  /** The credential classes that take it: interactive sign-in, client credentials. */
  readonly credentials: readonly ("interactive" | "client")[];
}

const both = ["interactive", "client"] as const;
const interactive = ["interactive"] as const;

/** Every option, in the order of the reference page, then the further ones. */
export const optionTable: readonly OptionRow[] = [
  {
    name: "issuer",
    reference: "issuer",
    kind: "issuer",
    default: "",
    keyPlace: 0,
    text: "all",
    credentials: both,
  },
  {
    name: "clientId",
    reference: "client_id",
    kind: "text",
    default: "",
    keyPlace: 2,
    text: "all",
    credentials: both,
  },
  {
    name: "scopes",
    reference: "scopes",
    kind: "scopes",
    default: undefined,
    keyPlace: 3,
    text: "all",
    credentials: both,
  },
  {
    name: "audience",
    reference: "audience",
    kind: "text",
    default: undefined,
    keyPlace: 4,
    text: "all",
    credentials: both,
  },
  {
    name: "useServerAudience",
    reference: "use_server_audience",
    kind: "boolean",
    default: false,
    keyPlace: 10,
    text: "all",
    credentials: both,
  },
  {
    name: "caCertPath",
    reference: "ca_cert_path",
    kind: "path",
    default: undefined,
    text: "all",
    credentials: both,
  },
  {
    name: "cachePath",
    reference: "cache_path",
    kind: "path",
    default: undefined,
    text: "all",
    credentials: both,
  },
  {
    name: "tokenEndpoint",
    reference: "token_endpoint",
    kind: "endpoint",
    default: undefined,
    keyPlace: 6,
    text: "all",
    credentials: both,
  },
  {
    name: "deviceAuthorizationEndpoint",
    reference: "device_authorization_endpoint",
    kind: "endpoint",
    default: undefined,
    text: "all",
    credentials: both,
  },
  {
    name: "flow",
    reference: "flow",
    kind: "flow",
    default: "auto",
    text: "all",
    credentials: interactive,
  },
  {
    name: "forceLogin",
    reference: "force_login",
    kind: "boolean",
    default: false,
    text: "all",
    credentials: interactive,
  },
  {
    name: "openBrowser",
    reference: "open_browser",
    kind: "boolean",
    default: true,
    text: "all",
    credentials: interactive,
  },
  {
    name: "authorizationEndpoint",
    reference: "authorization_endpoint",
    kind: "endpoint",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "redirectUri",
    reference: "redirect_uri",
    kind: "redirectUri",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "callbackHost",
    reference: "callback_host",
    kind: "host",
    default: "127.0.0.1",
    text: "all",
    credentials: interactive,
  },
  {
    name: "callbackPort",
    reference: "callback_port",
    kind: "port",
    default: 8765,
    text: "all",
    credentials: interactive,
  },
  {
    name: "callbackTimeoutSeconds",
    reference: "callback_timeout_seconds",
    kind: "seconds",
    default: 300,
    text: "all",
    credentials: interactive,
  },
  {
    name: "pkce",
    reference: "pkce",
    kind: "boolean",
    default: true,
    text: "all",
    credentials: interactive,
  },
  {
    name: "clientSecret",
    reference: "client_secret",
    kind: "secret",
    default: undefined,
    text: "secret",
    credentials: both,
  },
  {
    name: "resource",
    kind: "resources",
    default: undefined,
    keyPlace: 5,
    text: "all",
    credentials: both,
  },
  {
    name: "jwksUri",
    kind: "endpoint",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "offlineAccess",
    kind: "boolean",
    default: false,
    text: "all",
    credentials: interactive,
  },
  {
    name: "prompt",
    kind: "prompt",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "maxAge",
    kind: "age",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "acrValues",
    kind: "acrValues",
    default: undefined,
    keyPlace: 9,
    text: "all",
    credentials: interactive,
  },
  {
    name: "loginHint",
    kind: "text",
    default: undefined,
    keyPlace: 7,
    text: "all",
    credentials: interactive,
  },
  {
    name: "server",
    kind: "server",
    default: undefined,
    keyPlace: 1,
    text: "all",
    credentials: both,
  },
  {
    name: "trustServer",
    kind: "trust",
    default: "first-use",
    text: "all",
    credentials: both,
  },
  {
    name: "registration",
    kind: "registration",
    default: "none",
    keyPlace: 11,
    text: "all",
    credentials: interactive,
  },
  {
    name: "maxUnansweredPrompts",
    kind: "count",
    default: 3,
    text: "all",
    credentials: interactive,
  },
  {
    name: "responseMode",
    kind: "responseMode",
    default: "query",
    text: "all",
    credentials: interactive,
  },
  {
    name: "extraAuthorizationParams",
    kind: "parameters",
    default: undefined,
    keyPlace: 8,
    text: "none",
    credentials: interactive,
  },
  {
    name: "browserCommand",
    kind: "command",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "applicationName",
    kind: "text",
    default: undefined,
    text: "all",
    credentials: interactive,
  },
  {
    name: "httpTimeoutSeconds",
    kind: "seconds",
    default: 30,
    text: "all",
    credentials: both,
  },
  {
    name: "allowInsecureHttp",
    kind: "boolean",
    default: false,
    text: "flag",
    credentials: both,
  },
  {
    name: "storage",
    kind: "storage",
    default: "file",
    text: "all",
    credentials: both,
  },
  {
    name: "store",
    kind: "store",
    default: undefined,
    text: "none",
    credentials: both,
  },
  {
    name: "onPrompt",
    kind: "function",
    default: undefined,
    text: "none",
    credentials: interactive,
  },
  {
    name: "logger",
    kind: "function",
    default: undefined,
    text: "none",
    credentials: both,
  },
];

/** `callbackPort` → `callback-port`: the flag and the key in a profile. */
export function flagOf(row: OptionRow): string {
  return row.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `callbackPort` → `LATCHKEY_CALLBACK_PORT`. */
export function environmentNameOf(row: OptionRow): string {
  return `LATCHKEY_${flagOf(row).replaceAll("-", "_").toUpperCase()}`;
}
