// `latchkey doctor`: makes the checks and prints what they found.

import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { isatty } from "node:tty";
import { isOidcError } from "../../../core/errors.ts";
import { madeOnce } from "../../../core/load.ts";
import { worded } from "../../../core/wording.ts";
import { cacheFileParts } from "../../../credential/compose.ts";
import { openFiles } from "../../../credential/open-file-store.ts";
import type { Scene } from "../../../doctor/check.ts";
import { checksFor } from "../../../doctor/checks.ts";
import { examine, type Examined } from "../../../doctor/examine.ts";
import { pasteable } from "../../../doctor/pasteable.ts";
import { reachProvider } from "../../../doctor/reach.ts";
import { createProcessLock } from "../../../lock/protocol.ts";
import { configurationFile, stateFolder, type Machine } from "../../../options/paths.ts";
import { systemKeychain } from "../../../store/keychain/keychain.ts";
import type { TokenStore } from "../../../store/token-store.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { packageVersion } from "../../package-version.ts";
import { readConfigurationFile } from "../../profile.ts";
import { doctorText } from "../../render/doctor.ts";
import { commandLineNames } from "../../render/errors.ts";
import { serverRows } from "../../server-table.ts";
import { printableJson } from "../../token-text.ts";
import { unknownVariableWarnings } from "../../variables.ts";
import { configured, type Configured } from "./configuration.ts";

const maxProgramMilliseconds = 10_000;
const maxOutputCharacters = 4 * 1024 * 1024;

function outputOf({ environment }: Machine): Scene["output"] {
  return (name, words) =>
    new Promise((resolve) => {
      const child = execFile(
        name,
        [...words],
        {
          env: { ...environment },
          timeout: maxProgramMilliseconds,
          maxBuffer: maxOutputCharacters,
          windowsHide: true,
        },
        (error, output) => resolve(error === null ? output : undefined),
      );
      child.stdin?.end();
    });
}

function folderOf(machine: Machine): string | undefined {
  try {
    return stateFolder(machine);
  } catch {
    // Without a home folder there is none; the store says so.
    return undefined;
  }
}

/** The files as they are: whether what is sealed in them can be opened is the keychain's to tell. */
function filesOf({ options, world, store }: Opened, machine: Machine): TokenStore {
  try {
    return openFiles({ ...cacheFileParts(options, world, machine), onWarning: () => undefined });
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return store;
  }
}

/** What the real world shows. */
function sceneOf(
  { machine, signal }: CommandContext,
  opened: Opened,
  { fault }: Configured,
): Omit<Scene, "signal"> {
  const { options, world } = opened;
  const folder = folderOf(machine);
  return {
    machine,
    nodeVersion: process.versions.node,
    version: packageVersion(),
    options,
    fault,
    unknownVariables: unknownVariableWarnings(machine.environment),
    now: () => world.clock.now(),
    randomBytes: world.randomBytes,
    absence: world.absence,
    hasTerminal: isatty(0) && isatty(2),
    whyNoBrowser: world.whyNoBrowser,
    addressesOf: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    reach: madeOnce(() => reachProvider(options.issuer, opened.openRequests, signal)),
    describe: madeOnce(() => opened.describeProvider(signal, { anew: true })),
    readServer: madeOnce(async () => {
      if (options.server === undefined) return undefined;
      return { issuer: (await opened.readServer(signal)).said.issuer };
    }),
    requests: opened.openRequests,
    stateFolder: folder,
    store: filesOf(opened, machine),
    keychain: systemKeychain(),
    openLock: (onWarning) =>
      createProcessLock({
        folder: folder ?? "",
        clock: world.clock,
        randomBytes: world.randomBytes,
        onWarning,
      }),
    servedHosts: () => {
      const path = configurationFile(machine);
      const text = readConfigurationFile(path);
      return text === undefined ? [] : [...serverRows(text, path).keys()];
    },
    output: outputOf(machine),
  };
}

/** Findings in the words of the command line, fit for a public place. */
function saidOf(
  found: readonly Examined[],
  machine: Machine,
): { name: string; status: Examined["status"]; said: string }[] {
  return found.map(({ name, status, said }) => ({
    name,
    status,
    said: pasteable(worded(said, commandLineNames([])), machine),
  }));
}

/** Makes the checks. Its exit status is 1 where one failed. */
export async function run(context: CommandContext): Promise<number> {
  const { line, machine, signal } = context;
  const setUp = await configured(context);
  const opened = await context.openFor(setUp.settings, false);
  const scene = sceneOf(context, opened, setUp);
  const found = await examine(checksFor(line.arguments["subject"]), scene, signal);
  const checks = saidOf(found, machine);
  if (line.flags["json"] === true) {
    const { version, nodeVersion: node } = scene;
    context.print(`${printableJson({ version, node, platform: machine.platform, checks })}\n`);
  } else {
    context.print(`${doctorText(checks, context.columns)}\n`);
  }
  return found.some(({ status }) => status === "failed") ? 1 : 0;
}
