// What flows need from outside, besides what every part needs. Changes when a flow needs more.

import type { World } from "../core/world.ts";
import type { Warn } from "../core/warning.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { FlightLock } from "../lock/types.ts";

/** The world with the network in it. */
export interface FlowWorld extends World {
  readonly http: HttpClient;
  /** Where discovery documents and key sets are kept between runs; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  /** Gives a fixed callback port to one sign-in at a time. Undefined: no place for a lock is known; binding decides. */
  readonly portLock?: FlightLock | undefined;
  readonly onWarning: Warn;
}

export type { TokenAnswer } from "../provider/token-answer.ts";
