// Asks a person about a server by the prompt's events, and waits for the answer no longer than for a sign-in.

import type { Clock } from "../core/clock.ts";
import type { PromptHandler } from "../core/prompt.ts";
import type { TrustAsk } from "./server-trust.ts";

/** What a question needs. */
export interface PromptAskParts {
  readonly prompt: PromptHandler;
  readonly clock: Clock;
  /** Longest wait for an answer, in seconds: a handler of somebody else's may not know the event. */
  readonly timeoutSeconds: number;
}

/** Makes the question out of a prompt handler that reaches somebody. Whoever shows it is told of the end by `settled`. */
export function createPromptAsk({ prompt, clock, timeoutSeconds }: PromptAskParts): TrustAsk {
  return async (question, signal) => {
    const over = new AbortController();
    const stop = (): void => over.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      signal?.throwIfAborted();
      return await new Promise<boolean | "unanswered">((resolve, reject) => {
        const { before, ...asked } = question;
        prompt({
          type: "trustQuestion",
          ...asked,
          ...(before === undefined ? {} : { before }),
          accept: () => resolve(true),
          refuse: () => resolve(false),
        });
        clock
          .sleep(timeoutSeconds * 1000, { signal: over.signal })
          .then(() => resolve("unanswered"), reject);
      });
    } finally {
      signal?.removeEventListener("abort", stop);
      over.abort();
    }
  };
}
