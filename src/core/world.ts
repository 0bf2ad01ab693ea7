// Everything outside the program, as one small object that the composition root hands in. Changes when the code
// needs another thing from outside.

import type { Clock } from "./clock.ts";
import type { Logger } from "./events.ts";
import type { PromptHandler } from "./prompt.ts";

/** What came of opening a URL in a browser. */
export type BrowserResult =
  | { readonly opened: true }
  /** `problem` says in a few words why not: "SSH session", "no display", "xdg-open not found". */
  | { readonly opened: false; readonly problem: string };

/** Starts a browser. Never rejects. `hasCome`: whether a page is open by now, whatever a program says of itself. */
export type BrowserLauncher = (
  url: string,
  command: string | undefined,
  hasCome?: () => boolean,
) => Promise<BrowserResult>;

/** Says in a few words why this machine has no browser to open; undefined where it has one. Starts nothing. */
export type BrowserSearch = (command: string | undefined) => Promise<string | undefined>;

/** One HTTP request as it goes over the wire. */
export interface TransportRequest {
  /** In capitals. */
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** `h2`: over HTTP/2. Default: HTTP/1.1. */
  readonly protocol?: "h2";
  /** Ends the exchange, and its connection with it. */
  readonly signal: AbortSignal;
}

/** The head of an answer, and its body as it comes. */
export interface TransportAnswer {
  readonly status: number;
  /** Names in lower case, values of one name joined by ", "; without a prototype. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values in turn, as they were sent; for HTTP/1.1 alone. */
  readonly rawHeaders?: readonly string[];
  /** As it was sent, encoded or not. To stop reading it ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What came after the body, once it is read, as `headers` are; for HTTP/2 alone. */
  readonly trailers?: () => Readonly<Record<string, string>>;
  /** Ends the connection of a body that nobody will read. */
  readonly discard: () => void;
}

/** One HTTP exchange. Rejects where no head of an answer came. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

/** The world as flows, sessions and stores see it. */
export interface World {
  readonly clock: Clock;
  /** Cryptographically strong random bytes. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** The environment, read only; never handed to a child process whole. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly openBrowser: BrowserLauncher;
  readonly whyNoBrowser: BrowserSearch;
  readonly prompt: PromptHandler;
  readonly logger: Logger | undefined;
  /** Whether a person can answer here. */
  readonly canPrompt: boolean;
  /** Why no person can, in words that follow "because"; undefined where one can. */
  readonly absence?: string | undefined;
  /** Whether a question can be answered here: by a handler of the embedding program, or on a terminal. Default: false. */
  readonly answersQuestions?: boolean | undefined;
  /** Whether standard error is a terminal: only there a second way to sign in is offered beside the first. */
  readonly terminal: boolean;
  /** Work that outlives a call without holding the process: the outcome page of a sign-in. */
  readonly background: Set<Promise<void>>;
}
