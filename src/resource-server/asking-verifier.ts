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
import type { SharedAnswers } from "./shared-answers.ts";
import { SharedQuestions } from "./shared-questions.ts";
import type { AskingRoute } from "./token-routes.ts";
import { Turns } from "../core/turns.ts";
import { deepFreeze } from "./verified-tokens.ts";

/** What an {@link AskingVerifier} is made of. */
export interface AskingVerifierParts {
  readonly world: KeyWorld;
  readonly refusals: Refusals;
  readonly clockToleranceSeconds: number;
  /** Answers that are remembered at most. */
  readonly rememberedTokens: number;
  readonly answerLifetimeSeconds: number;
  /** Undefined where this server asks for itself alone. */
  readonly sharedAnswers: SharedAnswers | undefined;
}

/** What came of a question. */
interface Learnt {
  readonly answer: JudgedAnswer;
  /** For how long it may be used. */
  readonly seconds: number;
}

/** A health check asks again after so long. */
const probeMilliseconds = 10_000;

/** What was asked, whom and by whom: a provider may tell each of its clients something else. RFC 7662 section 2.2. */
function nameOf({ rules, mode }: AskingRoute): string {
  const { issuer, introspectionEndpoint, introspectionClientId } = rules;
  if (mode === "introspection") {
    return JSON.stringify([mode, issuer, introspectionEndpoint, introspectionClientId]);
  }
  const { userinfoEndpoint, openshiftUserApiUri } = rules;
  return JSON.stringify([
    mode,
    issuer,
    mode === "userinfo" ? userinfoEndpoint : openshiftUserApiUri,
  ]);
}

/** Verifies tokens of every mode but `jwt`. */
export class AskingVerifier {
  readonly #parts: AskingVerifierParts;
  readonly #answers: RememberedAnswers;
  readonly #questions = new Map<string, Question>();
  readonly #flights = new Map<string, Promise<JudgedAnswer>>();
  readonly #probes = new Map<string, { readonly probe: Promise<void>; readonly until: number }>();
  readonly #turns = new Turns(maxQuestions, maxWaitingQuestions);
  readonly #shared: SharedQuestions | undefined;

  constructor(parts: AskingVerifierParts) {
    this.#parts = parts;
    const { world, rememberedTokens, answerLifetimeSeconds, sharedAnswers: shared } = parts;
    this.#answers = new RememberedAnswers(world.clock, rememberedTokens, answerLifetimeSeconds);
    // Where every request has to be asked about there is nothing to share.
    if (shared !== undefined && answerLifetimeSeconds > 0) {
      const { clock, onEvent } = world;
      this.#shared = new SharedQuestions({ shared, clock, onEvent });
    }
  }

  /** @throws {Refusal} `invalid_token`, `provider_unavailable`. */
  async verify(token: string, route: AskingRoute): Promise<Identity> {
    const { world, refusals, answerLifetimeSeconds } = this.#parts;
    // Servers with another lifetime would use an answer for longer than they may.
    const digest = createHash("sha256")
      .update(`${nameOf(route)}\n${String(answerLifetimeSeconds)}\n${token}`)
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
      .run(() => this.#learn(token, digest, route))
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
    const { answer, seconds } = asked.result;
    this.#answers.add(digest, answer, seconds);
    return answer;
  }

  /** What another server was told, judged by this one's own settings; else what the provider says. */
  async #learn(token: string, digest: string, route: AskingRoute): Promise<Learnt> {
    const found = await this.#shared?.find(digest, route);
    if (found !== undefined && "secondsLeft" in found) {
      const { claims, secondsLeft: seconds } = found;
      return { answer: this.#judged(claims, route, seconds), seconds };
    }
    try {
      const { answer, claims } = await this.#answerOf(token, route);
      const seconds = this.#answers.lifetimeOf(answer);
      found?.keep(claims, seconds);
      return { answer, seconds };
    } catch (error) {
      found?.leave();
      throw error;
    }
  }

  async #answerOf(
    token: string,
    route: AskingRoute,
  ): Promise<{ readonly answer: JudgedAnswer; readonly claims: Awaited<ReturnType<Question>> }> {
    const { world, answerLifetimeSeconds } = this.#parts;
    const { rules, mode } = route;
    const name = nameOf(route);
    const question = this.#questions.get(name) ?? questionOf(world, route);
    this.#questions.set(name, question);
    const startedAt = world.clock.monotonic();
    let outcome: "accepted" | "refused" | "failed" = "failed";
    try {
      const claims = await question(token);
      const answer = this.#judged(claims, route, answerLifetimeSeconds);
      outcome = "identity" in answer ? "accepted" : "refused";
      return { answer, claims };
    } finally {
      const milliseconds = Math.round(world.clock.monotonic() - startedAt);
      world.onEvent?.({ type: "asked", issuer: rules.issuer, mode, outcome, milliseconds });
    }
  }

  /** An identity that several requests share, with an end: the token's own, or when the provider is asked again. */
  #judged(
    claims: Awaited<ReturnType<Question>>,
    { rules, mode }: AskingRoute,
    secondsToNextQuestion: number,
  ): JudgedAnswer {
    const { world, clockToleranceSeconds } = this.#parts;
    const now = nowSeconds(world.clock);
    const answer = judgedAnswer(claims, mode, { rules, clockToleranceSeconds, nowSeconds: now });
    if ("problem" in answer) return answer;
    const end = answer.expiresAt ?? now + secondsToNextQuestion;
    const identity = { ...answer.identity, expiresAt: new Date(end * 1000) };
    deepFreeze(identity);
    return { ...answer, identity };
  }
}
