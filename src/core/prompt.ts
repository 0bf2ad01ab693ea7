// What a person is shown or asked during a sign-in, as typed events. Changes when there is something new to show.

import type { OidcError } from "./errors.ts";

/** The person opens `url` in a browser, or it was opened for them. */
export interface AuthorizationUrlEvent {
  readonly type: "authorizationUrl";
  /** The authorization URL, whole. It holds no secret, verifier or token. */
  readonly url: string;
  readonly redirectUri: string;
  /** Whether a browser was started (which proves nothing about what it did). */
  readonly browserOpened: boolean;
  /** Why no browser was started, in a few words ("SSH session", "no display"), where one was wanted. */
  readonly browserProblem?: string;
  /** When the wait for the redirect ends. */
  readonly expiresAt: Date;
  /** Hands in the address at which a browser elsewhere ended: it counts like the redirect itself. */
  paste(redirected: string): void;
  /** Ends this sign-in with `aborted`. */
  cancel(): void;
}

/** Another process is doing the work that this one wants; its outcome will be shared. */
export interface WaitingForOtherEvent {
  readonly type: "waitingForOther";
  readonly processId?: number;
  readonly phase: "refresh" | "login";
}

/** Something that the person should know, though the call goes on. */
export interface WarningEvent {
  readonly type: "warning";
  /** A stable string. */
  readonly code: string;
  readonly message: string;
}

/** The last event of a sign-in or of a wait: take the prompt away. */
export interface SettledEvent {
  readonly type: "settled";
  readonly error?: OidcError;
}

/** Everything that may be shown to a person. */
export type PromptEvent = AuthorizationUrlEvent | WaitingForOtherEvent | WarningEvent | SettledEvent;

/** Receives prompt events. What it throws is ignored: showing something never breaks a sign-in. */
export type PromptHandler = (event: PromptEvent) => void;
