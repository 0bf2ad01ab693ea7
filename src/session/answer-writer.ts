// Writes what a provider has answered, and remembers what could not be written on the way. Changes when another fate of
// an answer's tokens is possible.

import { emit } from "../core/events.ts";
import type { WarningEvent } from "../core/prompt.ts";
import { warningEvent, type Warn } from "../core/warning.ts";
import type { SessionRecord } from "../record/format.ts";
import { loginRequired } from "./outcomes.ts";
import type { AnswerContext } from "./record-of.ts";
import type { KeepRules } from "./record-repository.ts";
import type { TokenCriteria } from "./criteria.ts";
import type { WorkParts } from "./work.ts";

/** Writes the answers of one key. */
export class AnswerWriter {
  readonly #parts: WorkParts;
  /** What became of the tokens themselves says more, where they came. */
  #untold: WarningEvent | undefined;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Something could not be written, and the work goes on. */
  readonly warn: Warn = (code, said) => {
    this.#untold ??= warningEvent(code, said);
  };

  /** At the end of the work. */
  tellWarnings(): void {
    if (this.#untold !== undefined) this.#parts.world.prompt(this.#untold);
    this.#untold = undefined;
  }

  readonly newRecordId = (): string =>
    Buffer.from(this.#parts.world.randomBytes(12)).toString("hex");

  /** The circumstances of an answer that comes now. */
  context(previous: SessionRecord | undefined, clientId: string): AnswerContext {
    const { config, world, host } = this.#parts;
    return {
      key: config.key,
      clientId,
      previous,
      now: world.clock.now(),
      newRecordId: this.newRecordId,
      host: host(),
    };
  }

  /**
   * Gives the record as it was written.
   * @throws {OidcError} `login_required` where somebody has logged out meanwhile.
   */
  async write(
    previous: SessionRecord | undefined,
    make: (previous: SessionRecord | undefined) => SessionRecord,
    criteria: TokenCriteria,
    rules: Omit<KeepRules, "mustBeKept">,
  ): Promise<SessionRecord> {
    const { repository, world, flows, config } = this.#parts;
    const { status, record } = await repository.replace(previous, make, {
      ...rules,
      ...(criteria.mustBeKept ? { mustBeKept: true } : {}),
    });
    this.#untold = undefined;
    if (status === "kept" || status === "in_memory") {
      emit(world.logger, "record.kept", { where: status === "kept" ? "store" : "memory" });
    }
    if (status === "logged_out") {
      // Whoever logged out could not know of these tokens (F-S18).
      await flows.revoke(record, new AbortController().signal).catch(() => undefined);
      throw loginRequired(config, "no_token");
    }
    return record;
  }
}
