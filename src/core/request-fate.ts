// Whether a request that failed can have reached its server.

import { decisionsOf } from "./errors.ts";

// Of requests that came before the one in question, whatever became of those.
const markedUnsent = new WeakSet<object>();

/** Marks an error of what had to be known before a request, so that it does not count as that request's. */
export function markUnsent(error: unknown): unknown {
  if (typeof error === "object" && error !== null) markedUnsent.add(error);
  return error;
}

/** True for an error that arose before anything of the request was sent. */
export function wasNeverSent(error: unknown): boolean {
  const decisions = decisionsOf(error);
  if (decisions === undefined) return false;
  return decisions.request === "unsent" || markedUnsent.has(error as object);
}
