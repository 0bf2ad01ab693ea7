// The work under the lock: what is stored, else a refresh, else a sign-in. Changes when step 5 of docs/lock/protocol.md
// does.

import { nowSeconds } from "../core/clock.ts";
import { emit } from "../core/events.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { providerOf, tooManyRounds } from "./outcomes.ts";
import { RefreshUnderLock } from "./refresh-under-lock.ts";
import { lacksIdToken, mayRefresh, matchRecord } from "./cache-match.ts";
import { SignInUnderLock } from "./sign-in-under-lock.ts";
import { noIdToken } from "./variant-errors.ts";
import { maxRounds, type AcquiredToken, type Work, type WorkParts } from "./work.ts";

/** Gets the tokens of one key. */
export class TokenAcquisition {
  readonly #parts: WorkParts;
  readonly #writer: AnswerWriter;
  readonly #refresh: RefreshUnderLock;
  readonly #signIn: SignInUnderLock;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    const writer = new AnswerWriter(parts);
    const refresh = new RefreshUnderLock(parts, writer);
    this.#writer = writer;
    this.#refresh = refresh;
    this.#signIn = new SignInUnderLock(parts, writer, refresh);
  }

  /**
   * Does what the call needs; the caller holds the lock.
   * @throws {OidcError} the outcome, which is every waiter's too.
   */
  async acquire(work: Work): Promise<AcquiredToken> {
    try {
      return await this.#acquire(work);
    } finally {
      this.#writer.tellWarnings();
    }
  }

  async #acquire(work: Work): Promise<AcquiredToken> {
    const { world, repository, config } = this.#parts;
    const { criteria, tell } = work;
    const now = (): number => nowSeconds(world.clock);
    for (let rounds = 0; rounds < maxRounds; rounds += 1) {
      const record = await repository.read();
      const found = matchRecord(record, criteria, config, now());
      if (found !== undefined) return { record: found, source: "cache" };
      if (!mayRefresh(record, criteria, config, now())) {
        return this.#signIn.signInFor(record, undefined, work);
      }
      tell("refresh");
      emit(world.logger, "refresh.needed", { host: providerOf(config) });
      const refreshed = await this.#refresh.refresh(record, work);
      if (refreshed.state === "renewed") {
        const { acquired } = refreshed;
        if (!lacksIdToken(acquired.record, criteria, now())) return acquired;
        return this.#signIn.signInFor(acquired.record, noIdToken(config, "not_renewed"), work);
      }
      if (refreshed.state === "refused") {
        return this.#signIn.signInFor(record, refreshed.error, work);
      }
    }
    throw tooManyRounds();
  }
}
