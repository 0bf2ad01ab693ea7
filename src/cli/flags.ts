// The commands and the flags that are no options, as data without prose. Changes when a command or such a flag is added.

/** The commands of this version. */
export const commandNames = [
  "setup",
  "login",
  "token",
  "status",
  "whoami",
  "logout",
  "exec",
  "completion",
  "help",
  "version",
] as const;

/** One of the commands. */
export type CommandName = (typeof commandNames)[number];

/** Whether options mean anything to a command. It accepts their flags all the same. */
export function usesOptions(command: CommandName): boolean {
  return command !== "completion" && command !== "help" && command !== "version";
}

/** The shells that `latchkey completion` knows. */
export const completionShells = ["bash", "zsh", "fish"] as const;

/** One of the shells. */
export type CompletionShell = (typeof completionShells)[number];

/** The forms in which `latchkey token` prints a token besides the token alone and JSON. */
export const tokenFormats = ["header", "bearer", "curl", "env"] as const;

/** The grants that can be named (RFC 7591 section 2): without one a person signs in. */
export const grantTypes = ["client_credentials"] as const;

/** A flag that is no option: it says what this one run does, not how to sign in. */
export interface CommandFlag {
  /** As typed, without the dashes. */
  readonly name: string;
  /**
   * "switch" is on when given; "negatable" has a `--no-` form too; "text" and "grant" choose the sign-in, the
   * others do not.
   */
  readonly kind:
    | "switch"
    | "negatable"
    | "text"
    | "grant"
    | "name"
    | "profile"
    | "format"
    | "seconds";
  /** The values of "grant" and "format". */
  readonly values?: readonly string[];
  /** The commands that take it. */
  readonly commands: readonly CommandName[];
}

/** True for a flag that says which sign-in is meant: it belongs to every command, and into "Run: latchkey login …". */
export function choosesSignIn({ kind }: CommandFlag): boolean {
  return kind === "text" || kind === "grant";
}

/** The flags that are no options, in the order of `--help`. */
export const commandFlags: readonly CommandFlag[] = [
  { name: "json", kind: "switch", commands: ["token", "status", "whoami"] },
  { name: "header", kind: "switch", commands: ["token"] },
  { name: "format", kind: "format", values: tokenFormats, commands: ["token"] },
  { name: "id-token", kind: "switch", commands: ["token", "exec"] },
  { name: "force-refresh", kind: "switch", commands: ["token", "exec"] },
  { name: "min-validity-seconds", kind: "seconds", commands: ["token", "exec"] },
  { name: "interactive", kind: "negatable", commands: ["token", "exec", "setup"] },
  { name: "save-profile", kind: "profile", commands: ["login"] },
  { name: "replace", kind: "switch", commands: ["setup", "login"] },
  { name: "env", kind: "name", commands: ["exec"] },
  { name: "revoke", kind: "switch", commands: ["logout"] },
  { name: "all", kind: "switch", commands: ["logout"] },
  { name: "profile", kind: "text", commands: commandNames },
  { name: "grant-type", kind: "grant", values: grantTypes, commands: commandNames },
  { name: "client-secret-file", kind: "text", commands: commandNames },
  { name: "verbose", kind: "switch", commands: commandNames },
  { name: "help", kind: "switch", commands: commandNames },
  { name: "version", kind: "switch", commands: commandNames },
];
