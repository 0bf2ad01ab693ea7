// What decides whether a server's word counts, in the real world: pins on the disk, a person at the prompt.

import { warningEvent, type Warn } from "../core/warning.ts";
import type { World } from "../core/world.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { createFilePins } from "../trust/file-pins.ts";
import { createMemoryPins } from "../trust/memory-pins.ts";
import type { PinStore } from "../trust/pins.ts";
import { createPromptAsk } from "../trust/prompt-ask.ts";
import type { TrustAsk } from "../trust/server-trust.ts";

/** The parts of `TrustCircumstances` that are the same for every server. */
export interface TrustParts {
  readonly pins: PinStore;
  /** Undefined where nobody can answer. */
  readonly ask: TrustAsk | undefined;
  readonly warn: Warn;
}

/**
 * Puts them together. `folder`: Latchkey's own; undefined where no home folder is known, and then pins last as long as
 * this process.
 */
export function composeTrust(
  world: World,
  folder: string | undefined,
  maxAnswerSeconds: number,
): TrustParts {
  const { clock, randomBytes, logger, prompt } = world;
  const pins =
    folder === undefined
      ? createMemoryPins(clock)
      : createFilePins({
          folder,
          lock: createProcessLock({ folder, clock, randomBytes, logger }),
          clock,
          randomBytes,
          maxAnswerSeconds,
          onWaiting: (holder) => prompt({ type: "waitingForOther", ...holder }),
        });
  const ask =
    world.answersQuestions === true
      ? createPromptAsk({ prompt, clock, timeoutSeconds: maxAnswerSeconds })
      : undefined;
  return { pins, ask, warn: (code, said) => prompt(warningEvent(code, said)) };
}
