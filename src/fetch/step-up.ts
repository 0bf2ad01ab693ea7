// What a challenge wants of the person: a stronger or a newer authentication (RFC 9470).

import { wordsOf } from "./challenges.ts";
import type { StepUp } from "./resource-sign-in.ts";

/** What a challenge of RFC 9470 section 3 asks for; undefined where it asks for nothing that can be asked for. */
export function stepUpOf(challenge: ReadonlyMap<string, string>): StepUp | undefined {
  const acrValues = wordsOf(challenge.get("acr_values"));
  const age = /^\d{1,9}$/.exec(challenge.get("max_age") ?? "")?.[0];
  if (acrValues === undefined && age === undefined) return undefined;
  return {
    ...(acrValues === undefined ? {} : { acrValues }),
    ...(age === undefined ? {} : { maxAgeSeconds: Number(age) }),
  };
}
