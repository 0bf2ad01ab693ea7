// Verifies tokens by asking their provider: once for each, however many requests bring it at once.

import { nowSeconds } from "../core/clock.ts";
import { createHash, randomBytes } from "node:crypto";
import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import { maxQuestions, maxWaitingQuestions } from "../core/limits.ts";
import type { KeyWorld } from "./issuer-keys.ts";
import { judgedAnswer, questionOf, type Question } from "./questions.ts";
import type { Refusals } from "./refusals.ts";
import { RememberedAnswers, type JudgedAnswer } from "./remembered-answers.ts";
import type { Identity } from "./resource-server-types.ts";
import type { AskingRoute } from "./token-routes.ts";
import { Turns } from "./turns.ts";
import { deepFreeze } from "./verified-tokens.ts";

/** What an {@link AskingVerifier} is made of. */
export interface AskingVerifierParts {
  readonly world: KeyWorld;
  readonly refusals: Refusals;
  readonly clockToleranceSeconds: number;
  /** Answers that are remembered at most. */
  readonly rememberedTokens: number;
  readonly answerLifetimeSeconds: number;
}

/** A health check asks again after so long. */
const probeMilliseconds = 10_000;

/** What was asked, by issuer and mode. */
function nameOf({ rules, mode }: AskingRoute): string {
  return JSON.stringify([mode, rules.issuer]);
}

/** Verifies tokens of every mode but `jwt`. */
export class AskingVerifier {
  readonly #parts: AskingVerifierParts;
  readonly #answers: RememberedAnswers;
  readonly #questions = new Map<string, Question>();
  readonly #flights = new Map<string, Promise<JudgedAnswer>>();
  readonly #probes = new Map<string, { readonly probe: Promise<void>; readonly until: number }>();
  readonly #turns = new Turns(maxQuestions, maxWaitingQuestions);

  constructor(parts: AskingVerifierParts) {
    this.#parts = parts;
    const { world, rememberedTokens, answerLifetimeSeconds } = parts;
    this.#answers = new RememberedAnswers(world.clock, rememberedTokens, answerLifetimeSeconds);
  }

  /** @throws {Refusal} `invalid_token`, `provider_unavailable`. */
  async verify(token: string, route: AskingRoute): Promise<Identity> {
    const { world, refusals } = this.#parts;
    const digest = createHash("sha256")
      .update(`${nameOf(route)}\n${token}`)
      .digest("base64url");
    const remembered = this.#answers.find(digest);
    const answer = remembered ?? (await this.#asked(token, digest, route));
    if ("problem" in answer) throw refusals.token(answer.problem);
    const { issuer } = route.rules;
    world.onEvent?.({ type: "verified", issuer, remembered: remembered !== undefined });
    return answer.identity;
  }

  /** Rejects with what is in the way of an answer. It asks about a token that is made up, at most every ten seconds. */
  assertAnswers(route: AskingRoute): Promise<void> {
    const name = nameOf(route);
    const { clock } = this.#parts.world;
    const last = this.#probes.get(name);
    if (last !== undefined && clock.monotonic() < last.until) return last.probe;
    const probe = this.#answerOf(randomBytes(32).toString("base64url"), route).then(
      () => undefined,
    );
    this.#probes.set(name, { probe, until: clock.monotonic() + probeMilliseconds });
    return probe;
  }

  #asked(token: string, digest: string, route: AskingRoute): Promise<JudgedAnswer> {
    const underWay = this.#flights.get(digest);
    if (underWay !== undefined) return underWay;
    const flight = this.#ask(token, digest, route).finally(() => void this.#flights.delete(digest));
    this.#flights.set(digest, flight);
    return flight;
  }

  /** Asks, judges, and remembers. What cannot be asked is no answer: nothing is remembered of that. */
  async #ask(token: string, digest: string, route: AskingRoute): Promise<JudgedAnswer> {
    const { refusals } = this.#parts;
    const asked = await this.#turns
      .run(() => this.#answerOf(token, route))
      .catch((cause: unknown) => {
        // What this machine is to blame for is no outage of the provider.
        const isOwnFault = !isOidcError(cause) || isErrorOf(cause, "ca_bundle_invalid");
        throw isOwnFault ? cause : refusals.unavailable(cause);
      });
    if (asked === undefined) {
      throw refusals.unavailable(
        new OidcError("rate_limited", "Too many new tokens came at once.", {
          retryAfterSeconds: 1,
        }),
      );
    }
    this.#answers.add(digest, asked.result);
    return asked.result;
  }

  async #answerOf(token: string, route: AskingRoute): Promise<JudgedAnswer> {
    const { world, clockToleranceSeconds } = this.#parts;
    const { rules, mode } = route;
    const name = nameOf(route);
    const question = this.#questions.get(name) ?? questionOf(world, route);
    this.#questions.set(name, question);
    const startedAt = world.clock.monotonic();
    let outcome: "accepted" | "refused" | "failed" = "failed";
    try {
      const claims = await question(token);
      const now = nowSeconds(world.clock);
      const answer = judgedAnswer(claims, mode, { rules, clockToleranceSeconds, nowSeconds: now });
      outcome = "identity" in answer ? "accepted" : "refused";
      return "identity" in answer ? this.#withEnd(answer, now) : answer;
    } finally {
      const milliseconds = Math.round(world.clock.monotonic() - startedAt);
      world.onEvent?.({ type: "asked", issuer: rules.issuer, mode, outcome, milliseconds });
    }
  }

  /** An identity that several requests share, with an end: the token's own, or when the provider is asked again. */
  #withEnd(
    answer: Extract<JudgedAnswer, { readonly identity: Identity }>,
    now: number,
  ): JudgedAnswer {
    const end = answer.expiresAt ?? now + this.#parts.answerLifetimeSeconds;
    const identity = { ...answer.identity, expiresAt: new Date(end * 1000) };
    deepFreeze(identity);
    return { ...answer, identity };
  }
}
