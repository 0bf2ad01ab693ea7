// What an option is: its kind with the words that it takes, its row in the table, and its names as text.

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

/** `callbackPort` → `callback-port`: the flag and the key in a profile. */
export function flagOf(row: OptionRow): string {
  return row.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `callbackPort` → `LATCHKEY_CALLBACK_PORT`. */
export function environmentNameOf(row: OptionRow): string {
  return `LATCHKEY_${flagOf(row).replaceAll("-", "_").toUpperCase()}`;
}
