// The signals that `latchkey exec` hands on to its program.

import { constants } from "node:os";
import { isatty } from "node:tty";
import { terminalRole } from "../interaction/foreground.ts";

// All that a program may be sent on purpose and that Node can catch. Not among them: faults (SIGSEGV and the like), what
// cannot be caught, and SIGTSTP, SIGTTIN and SIGTTOU, with which a terminal stops both at once.
const candidates = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGCONT",
  "SIGIO",
  "SIGPWR",
  "SIGURG",
  "SIGWINCH",
  "SIGXCPU",
  "SIGBREAK",
] as const satisfies readonly NodeJS.Signals[];

/** Those of them that this system knows. */
export const forwardedSignals: readonly NodeJS.Signals[] = candidates.filter(
  (signal) => signal in constants.signals,
);

const sentByTerminals: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/**
 * Whether a terminal has sent this signal to the program too: it goes to every process in the foreground. A second one
 * from here would end what cleans up.
 */
export function reachedProgramAlready(signal: NodeJS.Signals): boolean {
  if (!sentByTerminals.has(signal)) return false;
  const role = terminalRole();
  return role === "unknown" ? isatty(0) : role === "foreground";
}
