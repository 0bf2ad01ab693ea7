// Asks who holds a lock, without waiting for it. Changes when an onlooker may learn more.

import type { Socket } from "node:net";

import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LockKeys } from "./proof.ts";
import type { LockHolder } from "./types.ts";
import { hearHolder } from "./waiter.ts";

/** What an onlooker needs. */
export interface InspectContext {
  readonly endpoint: Endpoint;
  readonly keys: LockKeys;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
}

const maxMilliseconds = 1000;

/** Who holds the lock, undefined where nobody does or nobody proves to within a second. */
export async function askHolder(context: InspectContext): Promise<LockHolder | undefined> {
  const { endpoint, keys, clock } = context;
  const over = new AbortController();
  const timeIsUp = clock
    .sleep(maxMilliseconds, { signal: over.signal })
    .catch(() => undefined)
    .then(() => undefined);
  const reaching = endpoint.reach(keys.id);
  const leave = async (): Promise<void> => {
    const reached = await reaching;
    if (reached.state === "connected") reached.socket.destroy();
  };
  const answer = reaching.then((reached) =>
    reached.state === "connected" ? firstNews(reached.socket, context) : undefined,
  );
  try {
    return await Promise.race([answer, timeIsUp]);
  } finally {
    over.abort();
    // What it rejects with, `answer` has said.
    leave().catch(() => undefined);
  }
}

/** The holder says who it is with its proof, so an onlooker need not show one, and is never taken for a waiter. */
function firstNews(
  socket: Socket,
  { keys, randomBytes }: InspectContext,
): Promise<LockHolder | undefined> {
  return new Promise((resolve) => {
    hearHolder(socket, keys, randomBytes, {
      onMessage(message) {
        if (message.kind !== "holder") return;
        const { kind: _kind, ...holder } = message;
        resolve(holder);
      },
      onEnd: () => resolve(undefined),
    });
  });
}
