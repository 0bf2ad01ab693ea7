// Two connections as one: what comes from either goes to the other, and both end together.

import type { Duplex } from "node:stream";

/** Joins them. */
export function joinStreams(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on("error", () => {});
    from.once("close", () => to.destroy());
    from.pipe(to);
    // It may have closed before anybody looked.
    if (from.destroyed) to.destroy();
  }
}
