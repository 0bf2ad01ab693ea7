// Whether a person agrees to what was shown.

import { isatty } from "node:tty";
import { OidcError } from "../../../core/errors.ts";
import type { CommandContext } from "../../context.ts";
import { openQuestions } from "../../questions.ts";

/**
 * Comes back where `--yes` was typed, or a person at the terminal says so.
 * @throws {OidcError} `aborted`: they do not; `invalid_option`: nobody can be asked.
 */
export async function mayGoOn(
  question: string,
  { line, settings, signal }: CommandContext,
): Promise<void> {
  if (line.flags["yes"] === true) return;
  if (!isatty(0) || !isatty(2) || settings.interactive === false) {
    throw new OidcError("invalid_option", "Nobody can be asked here, and nothing was changed.", {
      remedy: "To do it: the same command with --yes.",
    });
  }
  const questions = openQuestions(signal);
  try {
    if (await questions.confirm(question)) return;
  } finally {
    questions.close();
  }
  throw new OidcError("aborted", "Nothing was changed.");
}
