// A prompt handler whose code is loaded at its first event: most calls show nothing.

import type { PromptEvent, PromptHandler } from "../core/prompt.ts";

/** Hands every event to the handler that `make` gives, in their order; those that come meanwhile wait. */
export function createLatePrompt(make: () => Promise<PromptHandler>): PromptHandler {
  let handler: PromptHandler | undefined;
  let waiting: PromptEvent[] | undefined;
  const load = async (): Promise<void> => {
    try {
      handler = await make();
    } catch {
      // Showing something never breaks a sign-in; the next event tries again.
    }
    const events = waiting ?? [];
    waiting = undefined;
    for (const event of events) handler?.(event);
  };
  return (event) => {
    if (waiting !== undefined) {
      waiting.push(event);
    } else if (handler !== undefined) {
      handler(event);
    } else if (event.type !== "settled") {
      // Where nothing was shown there is nothing to take away.
      waiting = [event];
      void load();
    }
  };
}
