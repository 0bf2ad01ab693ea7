// What a lock must be able to do with its system, whichever it is. Changes when the protocol needs more of a system.

import type { Socket } from "node:net";

/** The lock, taken. The system frees it when this process ends, however it ends. */
export interface Hold {
  /** True where an accepted connection that is still open keeps the lock taken: close all of them before `free`. */
  readonly keptByConnections: boolean;
  /** Frees the lock; resolves when another can take it. */
  free(): Promise<void>;
}

/** What came of trying to take the lock. */
export type TakeResult =
  | { readonly state: "taken"; readonly hold: Hold }
  | {
      readonly state: "held";
      /** What came of trying to reach the holder, where that was tried on the way. */
      readonly reached?: ReachResult;
      /** Another user can take this lock's name: who proves nothing there is no holder. */
      readonly mayBeForeign?: true;
    }
  /** Its name is taken by somebody who is none of this user's processes: what is held there is not this lock. */
  | { readonly state: "stranger" }
  /** This process has no descriptor or memory left at the moment. */
  | { readonly state: "exhausted"; readonly why: string }
  /** A sandbox, or a file system without locks: never possible here. */
  | { readonly state: "unavailable"; readonly why: string };

/** What came of trying to reach the holder. */
export type ReachResult =
  | { readonly state: "connected"; readonly socket: Socket }
  /** The holder has just gone. */
  | { readonly state: "gone" }
  /** It cannot be reached now: its backlog is full, or something here stands between. */
  | { readonly state: "busy"; readonly why?: string }
  /** It holds the lock but tells nothing: only trying again shows when it is free. */
  | { readonly state: "silent" };

/** One system's lock. `id`: 128 hexadecimal digits that nobody without the `lock-id` file knows beforehand. */
export interface Endpoint {
  /** Takes the lock, or says why not. Connections may come before this resolves. */
  take(id: string, onConnection: (socket: Socket) => void): Promise<TakeResult>;
  /** Connects to who holds it. */
  reach(id: string): Promise<ReachResult>;
  /** The process that holds it, where the system tells and that process is one of those which this one can see. */
  holderProcess?(id: string): number | undefined;
}
