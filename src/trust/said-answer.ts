// What a server says beyond what was said in so many words: for whoever accepts it without being asked.

import type { TrustedAnswer } from "../core/prompt.ts";

/** What may be accepted, said beforehand. */
export interface SaidAnswer {
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** A part of the answer that was said otherwise, or not at all. */
export type UnsaidPart = "issuer" | "clientId" | "audience" | "scopes";

/** What of an answer goes beyond what was said. `openid` is no part of it. */
export function unsaidOf(said: SaidAnswer, answer: TrustedAnswer): readonly UnsaidPart[] {
  const scopes = new Set(["openid", ...(said.scopes ?? [])]);
  const parts: UnsaidPart[] = [];
  if (said.issuer !== answer.issuer) parts.push("issuer");
  if ((said.clientId ?? "") !== answer.clientId) parts.push("clientId");
  if (said.audience !== answer.audience) parts.push("audience");
  if (answer.scopes.some((scope) => !scopes.has(scope))) parts.push("scopes");
  return parts;
}
