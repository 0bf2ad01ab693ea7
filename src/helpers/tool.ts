// What a helper is to the program that runs it, and what it gets from there.

import type { Place } from "./place.ts";

/** Which token a helper wants. */
export interface TokenRequest {
  /** The server that it goes to. A tool that names one gets a token for servers of the table alone. */
  readonly place?: Place | undefined;
  /** Tells requests of one program apart, beyond the server and the sign-in. */
  readonly about?: string | undefined;
  /** The token that a server refused, as it is or by its mark. */
  readonly refused?: { readonly token: string } | { readonly mark: string } | undefined;
  /** Nobody waits for the answer: a person is not asked. */
  readonly quiet?: boolean;
}

/** A token to hand out. */
export interface HandedToken {
  readonly token: string;
  readonly expiresAt: Date | undefined;
  /** The user name that the server's row in the table gives; undefined where it gives none. */
  readonly username: string | undefined;
}

/** A failure in the words for the person: the tool decides where they are read. */
export class HelperFailure extends Error {
  override readonly name: string = "HelperFailure";
  readonly exitCode: number;

  constructor(paragraph: string, exitCode: number) {
    super(paragraph);
    this.exitCode = exitCode;
  }
}

/** A form for a service that changes tokens. */
export interface HelperPost {
  readonly url: string;
  /** What it is called in messages. */
  readonly step: string;
  readonly form: URLSearchParams;
}

/** What such a service answered. */
export interface HelperAnswer {
  readonly status: number;
  readonly text: string;
}

/** One call of a helper. */
export interface ToolCall {
  /** The words behind the tool's name, flags apart. */
  readonly words: readonly string[];
  /** Flags that are not options, by name. */
  readonly flags: Readonly<Record<string, boolean | string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Standard input to its end.
   * @throws {HelperFailure} for more than any tool sends.
   */
  input(): Promise<string>;
  /** Standard input line by line, until it ends. @throws {HelperFailure} for a line longer than any tool sends. */
  lines(): AsyncIterable<string>;
  /**
   * A token; undefined where the request names a server that is not in the table.
   * @throws {HelperFailure}
   */
  token(request?: TokenRequest): Promise<HandedToken | undefined>;
  /**
   * Sends a form as the provider's requests are sent: over verified TLS, bounded, without redirects.
   * @throws {HelperFailure}
   */
  post(request: HelperPost): Promise<HelperAnswer>;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes a paragraph to standard error, and to the terminal where the tool shows no standard error. */
  tell(paragraph: string): void;
}

/** A tool that asks for credentials. */
export interface Tool {
  readonly tokenKind: "id_token" | "access_token";
  /** It waits for ever and leaves the terminal alone: a person may be asked where there is one. */
  readonly mayAsk: boolean;
  /** It gives up after so many seconds; undefined where it does not. */
  readonly deadlineSeconds: number | undefined;
  /** The same program asking again within seconds is all it does when a server refuses a token. */
  readonly repeatMeansRefused: boolean;
  /** Nobody sees the standard error of its helpers. */
  readonly hidesErrors: boolean;
  /** Remaining lifetime of a token, in seconds; undefined for the default. */
  readonly minValiditySeconds: number | undefined;
  /** Its own processes, where it starts itself for parts of its work. */
  readonly family?: RegExp;
  /** Answers one call; gives the exit status. @throws {HelperFailure} what is said on standard error alone. */
  readonly run: (call: ToolCall) => Promise<number>;
}

/** A tool that waits for its helper, shows what it says, and never comes back: most of them differ from it in little. */
export const patientTool = {
  tokenKind: "access_token",
  mayAsk: true,
  deadlineSeconds: undefined,
  repeatMeansRefused: false,
  hidesErrors: false,
  minValiditySeconds: undefined,
} as const;
