// Runs one command from its arguments to its exit status. Changes when what surrounds every command does.

import { isatty } from "node:tty";
import { exitCodeOf, isOidcError, OidcError } from "../core/errors.ts";
import { loadPart } from "../core/load.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { Machine } from "../options/paths.ts";
import { parseArguments, type CommandLine } from "./arguments.ts";
import type { Command, CommandContext, Opened } from "./context.ts";
import { usesOptions, type CommandName } from "./flags.ts";
import { OutputFault, tell, writeResult } from "./output.ts";
import { errorParagraph, faultParagraph } from "./render/errors.ts";
import { readClientSecret } from "./secret-file.ts";
import { readSettings, type Settings } from "./settings.ts";

/** What the program has from the process that it runs in. */
export interface ProgramInput {
  /** Without the two that are the program's own. */
  readonly argumentList: readonly string[];
  readonly machine: Machine;
  /** Aborts with an `OidcError` when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Open files that this process was started with, besides the standard streams. */
  readonly inheritedDescriptors: readonly number[];
  /** From now on signals go to `forward` and no longer end this program. */
  readonly handOverSignals: (forward: (signal: NodeJS.Signals) => void) => void;
  /** Work that is still wanted when the command has ended: the page that shows a sign-in's outcome. */
  readonly background: Set<Promise<void>>;
}

const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  login: async () => (await import("./commands/login.ts")).login,
  token: async () => (await import("./commands/token.ts")).token,
  status: async () => (await import("./commands/status.ts")).status,
  whoami: async () => (await import("./commands/whoami.ts")).whoami,
  logout: async () => (await import("./commands/logout.ts")).logout,
  exec: async () => (await import("./commands/exec.ts")).exec,
  completion: async () => (await import("./commands/completion.ts")).completion,
  help: async () => (await import("./commands/help.ts")).help,
  version: async () => (await import("./commands/version.ts")).version,
};

const noSettings: Settings = { given: {}, profile: undefined, clientSecretFile: undefined };

function columnsOfTerminal(): number {
  const { columns } = isatty(1) ? process.stdout : { columns: undefined };
  return Math.min(80, Math.max(20, columns ?? 80));
}

async function givenOptions(
  settings: Settings,
  { machine, signal }: ProgramInput,
  needsSecret: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const { clientSecretFile } = settings;
  if (!needsSecret || clientSecretFile === undefined) return settings.given;
  const { secret, warning } = await readClientSecret(clientSecretFile, machine, signal);
  if (warning !== undefined) tell(warning);
  return { ...settings.given, clientSecret: secret };
}

function createContext(line: CommandLine, settings: Settings, input: ProgramInput): CommandContext {
  const { machine, signal, background } = input;
  return {
    line,
    settings,
    machine,
    signal,
    columns: columnsOfTerminal(),
    open: async (needsSecret): Promise<Opened> => {
      const options = resolveOptions(
        await givenOptions(settings, input, needsSecret),
        "interactive",
      );
      const { compose } = await loadPart(() => import("../credential/compose.ts"));
      const composition = compose(options, {
        environment: machine.environment,
        background,
        ...(isatty(2)
          ? { renderQr: (await loadPart(() => import("./render/qr.ts"))).renderQr }
          : {}),
      });
      return { ...composition, options };
    },
    inheritedDescriptors: input.inheritedDescriptors,
    handOverSignals: input.handOverSignals,
    print: writeResult,
    tell,
  };
}

async function runCommand(line: CommandLine, input: ProgramInput): Promise<number> {
  // `latchkey` alone explains itself and is no failure, as with gh and kubectl.
  const name = line.command ?? "help";
  const settings = usesOptions(name) ? readSettings(line, input.machine) : noSettings;
  const command = await loadPart(commands[name]);
  return command(createContext(line, settings, input));
}

function report(error: unknown, configuration: readonly string[]): number {
  if (isOidcError(error)) {
    tell(errorParagraph(error, configuration));
    return exitCodeOf(error.code);
  }
  tell(error instanceof OutputFault ? error.message : faultParagraph(error));
  return 1;
}

/** Runs the command that the arguments name and gives its exit status. Never rejects. */
export async function runProgram(input: ProgramInput): Promise<number> {
  let configuration: readonly string[] = [];
  try {
    const line = parseArguments(input.argumentList);
    configuration = line.configuration;
    return await runCommand(line, input);
  } catch (error) {
    // Whatever the interrupted work ended with: the reason is the interruption.
    if (input.signal.aborted && input.signal.reason instanceof OidcError) return 1;
    return report(error, configuration);
  }
}
