// What a command gets from the program that runs it. Changes when commands need more of it.

import type { Machine } from "../options/paths.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ComposeOverrides, Composition } from "../credential/compose.ts";
import type { CommandLine } from "./arguments.ts";
import type { Settings } from "./settings.ts";

/** One run of one command. */
export interface CommandContext {
  readonly line: CommandLine;
  readonly machine: Machine;
  readonly settings: Settings;
  /** Aborts when the command is interrupted or terminated. */
  readonly signal: AbortSignal;
  /** Columns to write for; 80 where standard output is no terminal. */
  readonly columns: number;
  /**
   * Checks the options and builds the real world around them.
   * @param needsSecret whether a client secret may be sent; its file is not read otherwise.
   * @throws {OidcError} `invalid_option`, `insecure_url`.
   */
  open(needsSecret: boolean): Promise<Opened>;
  /** Open files that this process was started with, besides the standard streams. */
  readonly inheritedDescriptors: readonly number[];
  /** The same for other settings than this run's. */
  openFor: OpenSettings;
  /**
   * The checked options and who signs in, without a world around them and without reading a secret's file.
   * @throws {OidcError} `invalid_option`, `insecure_url`.
   */
  peek(): { readonly options: ResolvedOptions; readonly kind: CredentialKind };
  /** The same for other settings than this run's. */
  peekFor(settings: Settings): { readonly options: ResolvedOptions; readonly kind: CredentialKind };
  /** Which sign-in is meant turns out late: the words that name it, for "Run: latchkey login …". */
  readonly nameSignIn: (words: readonly string[]) => void;
  /** From now on signals go to `forward` and no longer end this program. */
  readonly handOverSignals: (forward: (signal: NodeJS.Signals) => void) => void;
  /** Writes a result to standard output. */
  print(text: string): void;
  /** Writes a line for people to standard error. */
  tell(text: string): void;
  /** The same for lines that must not be broken, such as those of a file. */
  tellAsIs(text: string): void;
}

/** A configuration with the world around it. */
export interface Opened extends Composition {
  readonly options: ResolvedOptions;
  /** What the world was built with, for another one like it. */
  readonly overrides: ComposeOverrides;
}

/** Builds the real world around settings. `needsSecret`: see {@link CommandContext.open}. */
export type OpenSettings = (settings: Settings, needsSecret: boolean) => Promise<Opened>;

/** A command: gives its exit status, or throws. */
export type Command = (context: CommandContext) => Promise<number>;
