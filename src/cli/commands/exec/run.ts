// `latchkey exec`: runs a program with the token in its environment. Changes when that command does.

import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { OidcError, sanitizeProviderText } from "../../../core/errors.ts";
import { loadPart } from "../../../core/load.ts";
import { tokenRequestOf } from "../../cached-token.ts";
import type { CommandContext } from "../../context.ts";
import { reachedProgramAlready } from "../../exec-signals.ts";

const defaultVariable = "LATCHKEY_ACCESS_TOKEN";

/** What the program inherits: all of it but the secret that proves who the client is (B11). */
function environmentFor(
  inherited: Readonly<Record<string, string | undefined>>,
  variable: string,
  token: string,
): Record<string, string | undefined> {
  const { LATCHKEY_CLIENT_SECRET: _secret, ...rest } = inherited;
  return { ...rest, [variable]: token };
}

/** The three streams and what else is handed on, each under its own number; the numbers between are left alone. */
function standardInputOutputAnd(descriptors: readonly number[]): ("inherit" | "ignore" | number)[] {
  const handedOn = new Set(descriptors);
  const length = Math.max(2, ...descriptors) + 1;
  return Array.from({ length }, (_, number) => {
    if (number <= 2) return "inherit";
    return handedOn.has(number) ? number : "ignore";
  });
}

function cannotRun(name: string, error: NodeJS.ErrnoException): OidcError {
  const shown = sanitizeProviderText(name, 100);
  const why =
    error.code === "ENOENT"
      ? `There is no program ${shown}.`
      : `${shown} cannot be run (${error.code ?? "unknown reason"}).`;
  return new OidcError("invalid_option", why, {
    remedy: "Check its name and PATH.",
    reason: error.code === "ENOENT" ? "program_not_found" : "program_not_runnable",
  });
}

/** The program's own exit status, or 128 and the number of the signal that ended it. */
function ended(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(cannotRun(name, error)));
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** A token in the program's environment, or the file with it, and what is done when the program has ended. */
interface Handed {
  readonly value: string;
  readonly end: () => Promise<void>;
}

async function handOver(context: CommandContext): Promise<Handed> {
  const { line, settings, signal } = context;
  const opened = await context.open(true);
  const request = tokenRequestOf(line.flags, settings.interactive);
  if (line.flags["file"] === true) {
    const { keepTokenFile } = await loadPart(() => import("./token-file.ts"));
    return keepTokenFile(context, opened, request);
  }
  const { token } = await opened.session.getToken({ ...request, signal });
  return { value: token, end: async () => undefined };
}

/** Runs the program behind `--` and ends as it ends. */
export async function run(context: CommandContext): Promise<number> {
  const { line, machine } = context;
  const [name = "", ...parameters] = line.program;
  const variable = line.flags["env"];
  const { value, end } = await handOver(context);
  const child = spawn(name, parameters, {
    stdio: standardInputOutputAnd(context.inheritedDescriptors),
    env: environmentFor(
      machine.environment,
      typeof variable === "string" ? variable : defaultVariable,
      value,
    ),
  });
  const status = ended(child, name);
  context.handOverSignals((received) => {
    if (!reachedProgramAlready(received)) child.kill(received);
  });
  try {
    return await status;
  } finally {
    await end();
  }
}
