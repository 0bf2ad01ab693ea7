// What a command is, as data. Parser, help, completion and documentation are made from it.

/** What a flag that is not an option takes. */
export type FlagKind =
  /** On when given. */
  | "switch"
  /** A switch with a `--no-` form. */
  | "negatable"
  /** One of {@link FlagSpec.values}. */
  | "words"
  | "file"
  /** The name of a profile. */
  | "profile"
  /** The name of an environment variable. */
  | "variable"
  /** Any text: what it may be is for the command to say. */
  | "text"
  | "wholeSeconds";

/** A flag that is not an option: it says what one run does, or where its options come from. */
export interface FlagSpec {
  /** As typed, without the dashes. What several commands mean alike is one flag (`flags.ts`). */
  readonly name: string;
  readonly kind: FlagKind;
  /** One line for `--help`: no full stop. */
  readonly summary: string;
  /** What a value looks like, for `--help`; absent for switches. */
  readonly placeholder?: string;
  /** The accepted values of the kind "words". */
  readonly values?: readonly string[];
  /** A short form of one letter. */
  readonly letter?: string;
  /** Given several times, each value counts. Otherwise the last one does. */
  readonly isRepeatable?: true;
  /** Its name means another thing for another command, and that is meant to be so. */
  readonly sharesName?: true;
  /** It says which sign-in is meant, and so belongs into "Run: latchkey login …". */
  readonly choosesSignIn?: true;
  /** With it the command is about all sign-ins, so that none has to be chosen. */
  readonly everySignIn?: true;
  /** A form of the one answer of a command: two of them exclude each other. */
  readonly answerForm?: true;
  /** It is also an environment variable: `--profile` is `LATCHKEY_PROFILE`. */
  readonly variable?: true;
  /** It is also a key of a profile. */
  readonly profileKey?: true;
  /** The warm command knows what it means. Any other flag makes the full program answer. */
  readonly warm?: true;
}

/** An argument without a flag, by its place. */
export interface ArgumentSpec {
  /** In the usage in capitals, and the name under which the command finds it. */
  readonly name: string;
  /** Completes "latchkey completion needs …". */
  readonly what: string;
  readonly isOptional?: true;
  /** The accepted words, where they are known. */
  readonly values?: readonly string[];
  /** For a word that is not accepted: completes "There is no …". */
  readonly missing?: string;
  /** Words that the Tab key offers where others are accepted, too. */
  readonly offers?: readonly string[];
  /** What the Tab key offers where no values are listed. */
  readonly completes?: "file" | "profile" | "command" | "server";
}

/** A word behind a command: `list` of `latchkey trust list`. */
export interface SubcommandSpec {
  readonly name: string;
  /** One line for lists: no full stop. */
  readonly summary: string;
  /** A paragraph, for its own help and the documentation. */
  readonly description: string;
  /** Flags of its own, in the order of `--help`. */
  readonly flags?: readonly FlagSpec[];
  readonly arguments?: readonly ArgumentSpec[];
  /** It runs a program, which stands behind `--`. */
  readonly takesProgram?: true;
  readonly examples: readonly string[];
}

/** A command: `latchkey NAME`. What it does is the function `run` beside its spec. */
export interface CommandSpec extends SubcommandSpec {
  /** Its place in lists of commands; a higher number comes later. */
  readonly place: number;
  /**
   * What it has to do with options and profiles. It accepts the flags of options all the same.
   * - "none": nothing.
   * - "options": they are read, no profile.
   * - "profile": a profile too.
   * - "sign-in": it is about one sign-in; where nothing names it, the only one that is cached.
   * - "of-request": as "profile", and the command reads them itself: only a request says which profile is meant.
   */
  readonly settings: "none" | "options" | "profile" | "sign-in" | "of-request";
  /** With these it does nothing by itself: one of them has to be typed. Its flags are theirs too. */
  readonly subcommands?: readonly SubcommandSpec[];
}
