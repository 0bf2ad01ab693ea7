// The commands and the flags that are no options, as data without prose. Changes when a command or such a flag is added.

/** The commands of this version. */
export const commandNames = [
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

/** A flag that is no option: it says what this one run does, not how to sign in. */
export interface CommandFlag {
  /** As typed, without the dashes. */
  readonly name: string;
  /** "switch" is on when given; "negatable" has a `--no-` form too; "text" chooses the sign-in, "name" does not. */
  readonly kind: "switch" | "negatable" | "text" | "name" | "seconds";
  /** The commands that take it. */
  readonly commands: readonly CommandName[];
}

/** The flags that are no options, in the order of `--help`. */
export const commandFlags: readonly CommandFlag[] = [
  { name: "json", kind: "switch", commands: ["token", "status", "whoami"] },
  { name: "header", kind: "switch", commands: ["token"] },
  { name: "id-token", kind: "switch", commands: ["token", "exec"] },
  { name: "force-refresh", kind: "switch", commands: ["token", "exec"] },
  { name: "min-validity-seconds", kind: "seconds", commands: ["token", "exec"] },
  { name: "interactive", kind: "negatable", commands: ["token", "exec"] },
  { name: "env", kind: "name", commands: ["exec"] },
  { name: "revoke", kind: "switch", commands: ["logout"] },
  { name: "all", kind: "switch", commands: ["logout"] },
  { name: "profile", kind: "text", commands: commandNames },
  { name: "client-secret-file", kind: "text", commands: commandNames },
  { name: "help", kind: "switch", commands: commandNames },
  { name: "version", kind: "switch", commands: commandNames },
];
