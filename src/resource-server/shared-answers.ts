// What servers share of tokens that a provider was asked about: the interface to where that is kept.

/** What is known of a question. */
export type SharedLook =
  /** What a server was told, and for how long it may be used still. */
  | { readonly state: "answered"; readonly answer: string; readonly millisecondsLeft: number }
  /** Nobody knows it and nobody asks: it is the caller's turn. */
  | { readonly state: "turn"; readonly turn: string }
  /** Another server is asking. */
  | { readonly state: "asking" };

/**
 * Answers that several servers share, so that one of them asks for all: made by `redisAnswers` of `latchkey/stores/redis`.
 * A question is a digest with the token in it, an answer the claims of a person: who keeps them elsewhere seals both.
 */
export interface SharedAnswers {
  /** Looks for an answer; where there is none, and no other server asks, the turn is the caller's for so long. */
  look(question: string, turnMilliseconds: number): Promise<SharedLook>;
  /** Keeps an answer for so long, which ends the turn. */
  keep(question: string, answer: string, milliseconds: number): Promise<void>;
  /** Ends a turn that has brought no answer. */
  leave(question: string, turn: string): Promise<void>;
}
