// One piece of work under the lock, and what it gives: what those who do it and those who wait for it speak of.

import type { OidcError } from "../core/errors.ts";
import type { AccessToken } from "../core/types.ts";
import type { World } from "../core/world.ts";
import type { SessionRecord } from "../record/format.ts";
import type { WorkPhase } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import type { RecordRepository } from "./record-repository.ts";
import type { SessionConfig, TokenCriteria } from "./criteria.ts";

/** What the work is done with. */
export interface WorkParts {
  readonly world: World;
  readonly repository: RecordRepository;
  readonly flows: Flows;
  readonly config: SessionConfig;
  /** The host, as far as one lock reaches. */
  readonly host: () => string;
  /** Unanswered prompts in an hour. */
  readonly maxUnansweredPrompts: number;
}

/** One piece of work under the lock. */
export interface Work {
  readonly criteria: TokenCriteria;
  readonly signal: AbortSignal;
  /** Tells everybody who waits what is being done. */
  readonly tell: (phase: WorkPhase) => void;
  /** Whether the lock keeps other processes of this host out. */
  readonly locked: boolean;
  /** The number of the lease, for the writes under it; undefined where the lock lasts as long as this process. */
  readonly fence?: number | undefined;
  /** Aborts when a person wants to sign in at another process instead. */
  readonly takenOver?: AbortSignal | undefined;
}

/** What a call gets: the record, and where its token came from. */
export interface AcquiredToken {
  readonly record: SessionRecord;
  readonly source: AccessToken["source"];
}

/** What came of a refresh. */
export type Refreshed =
  | { readonly state: "renewed"; readonly acquired: AcquiredToken }
  /** Somebody else changed the record meanwhile: look again. */
  | { readonly state: "changed" }
  | { readonly state: "refused"; readonly error: OidcError };

/** Each round meets another writer who really wrote; more in a row means that something else is wrong. */
export const maxRounds = 20;
