// What flows need from outside, besides what every part needs. Changes when a flow needs more.

import type { World } from "../core/world.ts";
import type { HttpClient } from "../http/exchange.ts";

/** The world with the network in it. */
export interface FlowWorld extends World {
  readonly http: HttpClient;
  /** Where discovery documents and key sets are kept between runs; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  readonly onWarning: (code: string, message: string) => void;
}

export type { TokenAnswer } from "../provider/token-answer.ts";
