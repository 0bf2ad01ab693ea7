// Runs one command from its arguments to its exit status. Changes when what surrounds every command does.

import { isatty } from "node:tty";
import { decisionsFor } from "../core/error-table.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import { systemClock } from "../core/clock.ts";
import { loadPart } from "../core/load.ts";
import type { PromptHandler } from "../core/prompt.ts";
import { createLatePrompt } from "../credential/late-prompt.ts";
import { layOut, proseColumns } from "../interaction/layout.ts";
import { resolveOptions } from "../options/resolve.ts";
import { thisMachine, type Machine } from "../options/paths.ts";
import { optionTable } from "../options/table.ts";
import { parseArguments, type CommandLine } from "./arguments.ts";
import { runsOfCommands } from "./commands/runs.ts";
import type { CommandContext, Opened, OpenSettings } from "./context.ts";
import { grammar } from "./command-grammar.ts";
import { commandAt, type GrammarCommand } from "./grammar.ts";
import { CommandFault, tell, writeResult } from "./output.ts";
import { commandLineNames, errorParagraph, faultParagraph } from "./render/errors.ts";
import type { QrRenderer } from "./render/qr.ts";
import { mayHaveProfile, readSettings, type Settings } from "./settings.ts";
import type { ChosenSettings } from "./sign-ins.ts";
import { unknownVariableWarnings } from "./variables.ts";
import { printEvents, wantsEvents } from "./verbose.ts";

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

const noSettings: Settings = {
  given: {},
  profile: undefined,
  named: "nothing",
  kind: "interactive",
  interactive: undefined,
  clientSecretFile: undefined,
};

/** For results; behind a pager, the terminal is where errors go. */
function columnsOfTerminal(): number {
  if (isatty(1)) return proseColumns(process.stdout.columns);
  return proseColumns(isatty(2) ? process.stderr.columns : undefined);
}

/** Tells the person something, laid out for the terminal; whole lines where there is none. */
function say(text: string): void {
  tell(layOut(text, isatty(2) ? (process.stderr.columns ?? 0) : undefined));
}

/** Every command takes every option's flag; what is for a person alone means nothing to a client. */
function takenOptions({ given, kind }: Settings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    optionTable
      .filter((row) => row.credentials.includes(kind) && given[row.name] !== undefined)
      .map((row) => [row.name, given[row.name]]),
  );
}

async function givenOptions(
  settings: Settings,
  { machine, signal }: ProgramInput,
  needsSecret: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const taken = takenOptions(settings);
  const { clientSecretFile } = settings;
  if (!needsSecret || clientSecretFile === undefined) return taken;
  const { readClientSecret } = await loadPart(() => import("./secret-file.ts"));
  const { secret, warning } = await readClientSecret(clientSecretFile, machine, signal);
  if (warning !== undefined) say(warning);
  return { ...taken, clientSecret: secret };
}

/** Without a terminal nobody can be asked about a server, and nothing is accepted unseen. */
function trustHere(): { readonly trustServer?: string } {
  return isatty(0) && isatty(2) ? {} : { trustServer: "pinned" };
}

async function qrHere({ environment, platform }: Machine): Promise<QrRenderer | undefined> {
  if (!isatty(2)) return undefined;
  const { qrRenderer } = await loadPart(() => import("./render/qr.ts"));
  return qrRenderer(environment, platform);
}

async function promptHere(machine: Machine): Promise<PromptHandler> {
  const { createDefaultPrompt } = await loadPart(() => import("../credential/default-prompt.ts"));
  return createDefaultPrompt({
    environment: machine.environment,
    clock: systemClock,
    renderQr: await qrHere(machine),
    names: commandLineNames([]),
  });
}

function opener(input: ProgramInput): OpenSettings {
  const { machine, background } = input;
  return async (settings, needsSecret): Promise<Opened> => {
    const { kind, interactive } = settings;
    const given = await givenOptions(settings, input, needsSecret);
    const options = resolveOptions({ ...trustHere(), ...given }, kind);
    const { compose } = await loadPart(() => import("../credential/compose.ts"));
    const { environment } = machine;
    const overrides = {
      environment,
      background,
      ...(interactive === false ? { canPrompt: false } : {}),
      // A token that is renewed shows nothing.
      defaultPrompt: createLatePrompt(() => promptHere(machine)),
    };
    return { ...compose(options, overrides, kind), options, overrides };
  };
}

/** The settings of a command that takes options, and the words that name the sign-in. */
async function settingsOf(
  command: GrammarCommand,
  line: CommandLine,
  input: ProgramInput,
): Promise<ChosenSettings> {
  const takesProfile = command.settings !== "options" && mayHaveProfile(line, input.machine);
  const profiles = takesProfile ? await loadPart(() => import("./profile.ts")) : undefined;
  const settings = readSettings(line, input.machine, profiles);
  const words = line.configuration;
  const isAboutAll = command.flags.some(
    ({ name, everySignIn }) => everySignIn === true && line.flags[name] === true,
  );
  const mayChoose = settings.named === "nothing" && command.settings === "sign-in" && !isAboutAll;
  if (!mayChoose) return { settings, words };
  const { withOnlySignIn } = await loadPart(() => import("./sign-ins.ts"));
  const chosen = await withOnlySignIn(settings, {
    machine: input.machine,
    open: opener(input),
    tell,
    tellOnTerminal: (text) => {
      if (isatty(2)) say(text);
    },
  });
  return chosen === undefined
    ? { settings, words }
    : { settings: chosen.settings, words: [...chosen.words, ...words] };
}

function createContext(
  line: CommandLine,
  settings: Settings,
  input: ProgramInput,
  nameSignIn: CommandContext["nameSignIn"],
): CommandContext {
  const open = opener(input);
  const peekFor: CommandContext["peekFor"] = (other) => ({
    options: resolveOptions(takenOptions(other), other.kind),
    kind: other.kind,
  });
  return {
    line,
    settings,
    machine: input.machine,
    signal: input.signal,
    columns: columnsOfTerminal(),
    open: (needsSecret) => open(settings, needsSecret),
    openFor: open,
    peek: () => peekFor(settings),
    peekFor,
    inheritedDescriptors: input.inheritedDescriptors,
    nameSignIn,
    handOverSignals: input.handOverSignals,
    print: writeResult,
    tell: say,
    tellAsIs: tell,
  };
}

async function runCommand(
  line: CommandLine,
  input: ProgramInput,
  onWords: (words: readonly string[]) => void,
): Promise<number> {
  // `latchkey` alone explains itself and is no failure, as with gh and kubectl.
  const name = line.command ?? "help";
  const command = commandAt(grammar, name);
  const load = runsOfCommands[name];
  if (command === undefined || load === undefined) throw new TypeError(`No command ${name}.`);
  let settings = noSettings;
  if (command.settings !== "none" && command.settings !== "of-request") {
    for (const warning of unknownVariableWarnings(input.machine.environment)) say(warning);
    const chosen = await settingsOf(command, line, input);
    settings = chosen.settings;
    onWords(chosen.words);
  }
  const { run } = await loadPart(load);
  return run(createContext(line, settings, input, onWords));
}

function report(error: unknown, configuration: readonly string[]): number {
  if (isOidcError(error)) {
    say(errorParagraph(error, configuration));
    return decisionsFor(error.code, error.reason).exitCode;
  }
  say(error instanceof CommandFault ? error.message : faultParagraph(error));
  return 1;
}

/** A kubeconfig that was written for another helper has that one's flags. */
async function understood(input: ProgramInput): Promise<ProgramInput> {
  const { argumentList, machine } = input;
  if (argumentList[0] !== "credential" || argumentList[1] !== "kubectl") return input;
  const { fromKubelogin } = await loadPart(() => import("../helpers/kubelogin.ts"));
  const translated = fromKubelogin(argumentList);
  if (translated === undefined) return input;
  const { clientSecret, refusal } = translated;
  if (refusal !== undefined) throw new OidcError("invalid_option", refusal);
  const { argumentList: own } = translated;
  if (clientSecret === undefined) return { ...input, argumentList: own };
  const environment = { ...machine.environment, LATCHKEY_CLIENT_SECRET: clientSecret };
  return { ...input, argumentList: own, machine: thisMachine(environment) };
}

/** Runs the command that the arguments name and gives its exit status. Never rejects. */
export async function runProgram(given: ProgramInput): Promise<number> {
  let configuration: readonly string[] = [];
  let input = given;
  try {
    input = await understood(given);
    const line = parseArguments(input.argumentList);
    configuration = line.configuration;
    if (wantsEvents(line.flags["verbose"], input.machine.environment)) {
      printEvents(input.machine.environment);
    }
    return await runCommand(line, input, (words) => {
      configuration = words;
    });
  } catch (error) {
    // Whatever the interrupted work ended with: the reason is the interruption.
    if (input.signal.aborted && input.signal.reason instanceof OidcError) return 1;
    return report(error, configuration);
  }
}
