// Asks on a terminal about a server that says where to sign in: the question, and a line that answers it.

import type { TrustQuestionEvent } from "../core/prompt.ts";
import { wrap, type Columns } from "./layout.ts";
import {
  isFreeTerminal,
  readLines,
  type LineOptions,
  type LineReading,
  type TerminalInput,
} from "./line-input.ts";
import type { LiveLine, TerminalOutput } from "./live-line.ts";
import {
  acceptsTrust,
  trustAnswerLead,
  trustInBackgroundText,
  trustText,
  unanswerableText,
} from "./trust-texts.ts";

/** The terminal that is asked on. */
export interface TrustTerminal extends Pick<LineOptions, "terminalRole" | "raiseSignal"> {
  readonly live: LiveLine;
  readonly stderr: TerminalOutput;
  readonly stdin: TerminalInput;
}

const maxAnswer = 20;

/** Shows the question and waits for a line; undefined where nobody can type one, and so it is refused. */
export function askOnTerminal(
  event: TrustQuestionEvent,
  columns: Columns,
  terminal: TrustTerminal,
): LineReading | undefined {
  const { live, stderr, stdin, terminalRole, raiseSignal } = terminal;
  const lead = trustAnswerLead(event.before !== undefined);
  stderr.write(trustText(event, columns));
  if (!live.isTerminal || !isFreeTerminal(stdin)) {
    stderr.write(`${wrap(unanswerableText, columns)}\n`);
    event.refuse();
    return undefined;
  }
  const answer = (line: string): void => {
    reading.stop();
    // What was typed stays to be read, as in any terminal.
    live.erase();
    stderr.write(`${lead}${acceptsTrust(line) ? "y" : "n"}\n`);
    if (acceptsTrust(line)) event.accept();
    else event.refuse();
  };
  const reading = readLines(
    stdin,
    maxAnswer,
    {
      onLength: () => undefined,
      onTyped: (line) => live.set(`${lead}${line.replaceAll(/[^\x20-\x7e]/g, "?")}`),
      onLine: answer,
      onEmptyLine: () => answer(""),
      onEnd: () => answer(""),
    },
    { terminalRole, raiseSignal },
  );
  if (live.isInBackground) stderr.write(`${wrap(trustInBackgroundText, columns)}\n`);
  else if (!live.isRewritable) stderr.write(`${lead}\n`);
  return reading;
}
