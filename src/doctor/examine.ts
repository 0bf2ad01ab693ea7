// Makes checks: at once, each within its time, none of them able to end the others.

import { isOidcError } from "../core/errors.ts";
import { counted } from "../core/words.ts";
import { failed, failure, type Check, type Finding, type Scene } from "./check.ts";

/** A check and what it found. */
export interface Examined extends Finding {
  readonly name: string;
}

async function within(
  check: Check,
  scene: Omit<Scene, "signal">,
  outer: AbortSignal,
): Promise<Finding> {
  const timeIsUp = new AbortController();
  const signal = AbortSignal.any([outer, timeIsUp.signal]);
  const late = failed(
    `This did not end within ${counted(check.maxSeconds, "second")}.`,
    "Try again.",
  );
  const over = new Promise<Finding>((resolve) => {
    const end = (): void => resolve(late);
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
  });
  const timer = setTimeout(() => timeIsUp.abort(), check.maxSeconds * 1000);
  try {
    return await Promise.race([Promise.resolve(check.run({ ...scene, signal })), over]);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return failure(error);
  } finally {
    clearTimeout(timer);
    // What still runs is wanted by nobody.
    timeIsUp.abort();
  }
}

/** Makes all checks, in parallel; what they found, in their order. @throws the signal's reason when it aborts. */
export async function examine(
  checks: readonly Check[],
  scene: Omit<Scene, "signal">,
  signal: AbortSignal,
): Promise<readonly Examined[]> {
  const found = await Promise.all(
    checks.map(async (check) => ({ name: check.name, ...(await within(check, scene, signal)) })),
  );
  signal.throwIfAborted();
  return found;
}
