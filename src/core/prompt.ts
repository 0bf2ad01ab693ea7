// What a person is shown or asked during a sign-in, as typed events. Changes when there is something new to show.

import type { OidcError } from "./errors.ts";
import type { Wording } from "./wording.ts";

/**
 * The person opens `url` in a browser, or it was opened for them. On a terminal it comes a second time, with the same
 * `url` and without `browserOpened`, where the browser that was started has not come within five seconds.
 */
export interface AuthorizationUrlEvent {
  readonly type: "authorizationUrl";
  /** The authorization URL, whole. It holds no secret, verifier or token. */
  readonly url: string;
  readonly redirectUri: string;
  /** Whether a browser was started (which proves nothing about what it did). */
  readonly browserOpened: boolean;
  /**
   * Why there is no browser, in a few words ("SSH session", "no display"). Undefined where one was started, and with
   * `openBrowser: false` where this machine has one.
   */
  readonly browserProblem?: string;
  /** When the wait for the redirect ends. */
  readonly expiresAt: Date;
  /** False with `responseMode: "form_post"`: the answer stands in no address, so there is none to hand in. Default: true. */
  readonly canPaste?: boolean;
  /** Hands in the address at which a browser elsewhere ended: it counts like the redirect itself. */
  paste(redirected: string): void;
  /** Ends this sign-in with `aborted`. */
  cancel(): void;
}

/** The person visits an address on any device and enters a code there. */
export interface DeviceCodeEvent {
  readonly type: "deviceCode";
  /** The code to enter: printable ASCII, at most 64 characters. Always show it. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The address with the code in it, where the provider gives one: for a QR code, or to be opened here. */
  readonly verificationUriComplete?: string;
  /** When the code ends. */
  readonly expiresAt: Date;
  /** Why this way was chosen, in one sentence, where it was not asked for. */
  readonly why?: string;
  /** True where a browser sign-in was shown before and counts too: add this, take nothing away. */
  readonly besideBrowser?: boolean;
  /** Where, as which client and for what the person signs in: a defence against codes from strangers. */
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  /** Whether a browser was started with the address. */
  readonly browserOpened?: boolean;
  /** Ends this sign-in with `aborted`. */
  cancel(): void;
}

/** Another process is doing the work that this one wants; its outcome will be shared. */
export interface WaitingForOtherEvent {
  readonly type: "waitingForOther";
  readonly processId?: number;
  readonly phase: "refresh" | "login";
  /**
   * Signs in here instead: the other process leaves its sign-in, unless somebody has answered it, and waits for this
   * one's. Absent where the other cannot be asked.
   */
  readonly takeOver?: () => void;
}

/** What a server says of the provider, as a person is shown it. */
export interface TrustedAnswer {
  readonly issuer: string;
  /** Empty where it names none. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience?: string;
}

/**
 * A server says where to sign in, and nobody has accepted that yet, or it has changed. Nothing was sent there so far. A
 * handler that leaves it unanswered refuses it when the time for a sign-in is up. All texts come from the server: show
 * them without control characters, and the issuer's host whole.
 */
export interface TrustQuestionEvent extends TrustedAnswer {
  readonly type: "trustQuestion";
  /** The server's address. */
  readonly server: string;
  /** What was accepted before, where the server has changed its answer: show both side by side. */
  readonly before?: TrustedAnswer;
  /** Goes on, and remembers the answer for this server. */
  accept(): void;
  /** Ends this sign-in with `issuer_untrusted` or `server_config_changed`. */
  refuse(): void;
}

/** Something that the person should know, though the call goes on. */
export interface WarningEvent {
  readonly type: "warning";
  /** A stable string. */
  readonly code: string;
  /** What happened and what to do, in the library's words. */
  readonly message: string;
  /** The message in pieces, for whoever has other names for options and calls. */
  readonly wording?: Wording;
}

/** The last event of a sign-in or of a wait: take the prompt away. */
export interface SettledEvent {
  readonly type: "settled";
  readonly error?: OidcError;
}

/** Everything that may be shown to a person. */
export type PromptEvent =
  | AuthorizationUrlEvent
  | DeviceCodeEvent
  | WaitingForOtherEvent
  | TrustQuestionEvent
  | WarningEvent
  | SettledEvent;

/** Receives prompt events. What it throws is ignored: showing something never breaks a sign-in. */
export type PromptHandler = (event: PromptEvent) => void;
