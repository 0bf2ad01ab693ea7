// Whether and from when on a token that was handed out is renewed before it expires. Changes when the wish for that
// does; proactive-refresh-timer.ts does the waiting.
//
// Driven by demand: only a token that a call was given is renewed, once. Its successor is renewed only after it was
// handed out too, so a credential that nobody asks lets its token expire, and a machine that sleeps stays asleep.

import { loadPart } from "../core/load.ts";
import type { SessionRecord } from "../record/format.ts";
import type {
  ProactiveRefreshParts,
  ProactiveRefreshTimer,
  EndingToken,
} from "./proactive-refresh-timer.ts";

// A program that ends sooner never loads the code, and pays for one timer.
const loadAfterMilliseconds = 1000;

/** The token of a record, where it can be renewed ahead. */
function endingTokenOf(
  record: SessionRecord,
  parts: ProactiveRefreshParts,
): EndingToken | undefined {
  const token = record.accessToken;
  if (token === null || token.expiresAt === null || !parts.canRenew(record)) return undefined;
  return { ...token, expiresAt: token.expiresAt };
}

/** Renews the tokens of one session before they expire. Never throws, and keeps no process alive. */
export class ProactiveRefresh {
  readonly #parts: ProactiveRefreshParts;
  #watch: ProactiveRefreshTimer | undefined;
  #loading: AbortController | undefined;
  /** Handed out while the code was not there yet. */
  #latest: EndingToken | undefined;

  constructor(parts: ProactiveRefreshParts) {
    this.#parts = parts;
  }

  /** A call was given the token of this record. */
  note(record: SessionRecord): void {
    const token = endingTokenOf(record, this.#parts);
    if (token === undefined) return;
    if (this.#watch === undefined) {
      this.#latest = token;
      if (this.#loading === undefined) void this.#load();
    } else {
      this.#watch.note(token);
    }
  }

  /** Nobody wants the token any more (`logout`, `close`). */
  stop(): void {
    this.#latest = undefined;
    this.#loading?.abort();
    this.#loading = undefined;
    this.#watch?.stop();
  }

  async #load(): Promise<void> {
    const loading = new AbortController();
    this.#loading = loading;
    const { clock } = this.#parts;
    try {
      await clock.sleep(loadAfterMilliseconds, { unref: true, signal: loading.signal });
      const timer = await loadPart(() => import("./proactive-refresh-timer.ts"));
      loading.signal.throwIfAborted();
      this.#watch = new timer.ProactiveRefreshTimer(this.#parts);
      if (this.#latest !== undefined) this.#watch.note(this.#latest);
    } catch {
      // Each call renews for itself, as without this, and the next token that is handed out tries again.
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }
}
