// Interrupts a use of the store at its system calls, one at a time, and judges what is left. Changes when an
// interrupted use must promise something else.
import { utimesSync } from "node:fs";

import type { Fault, FileCall } from "./fault-calls.ts";
import { callsOf, isChange, withFault } from "./fault-calls.ts";
import type { FaultProcess } from "./fault-process.ts";
import { startFaultProcess } from "./fault-process.ts";
import type { Found, Scene } from "./fault-scenes.ts";
import { leftoversBelow, openToOthersBelow, setScene } from "./fault-scenes.ts";
import type { FaultResult } from "./fault-worker.ts";

/** What came of all rounds. */
export interface RoundsReport {
  /** The calls that were interrupted, and how many interruptions there were. */
  readonly calls: readonly FileCall[];
  readonly rounds: number;
  /** One line for each broken promise. */
  readonly broken: readonly string[];
}

/** The calls of a scene without a fault. */
export interface Rehearsal {
  readonly calls: readonly FileCall[];
  readonly paths: readonly string[];
}

function describeFault(fault: Fault): string {
  return fault.kind === "error" ? fault.errno : fault.kind.replace("_", " ");
}

/** Runs a scene once as it should go. */
export async function rehearse(scene: Scene, root: string): Promise<Rehearsal> {
  const faultProcess = await startFaultProcess();
  try {
    setScene(scene, root);
    const calls = await callsOf(faultProcess, scene.command(root), root);
    return { calls, paths: [...new Set(calls.flatMap((call) => call.paths))] };
  } finally {
    await faultProcess.end();
  }
}

/** What must hold in every state in which anything can stop. */
function* brokenByAnything(scene: Scene, root: string): Generator<string> {
  for (const path of openToOthersBelow(root)) yield `others may read ${path}`;
  try {
    scene.find(root);
  } catch (error) {
    yield String(error);
  }
}

/** Whether a command that ended without an error may leave this. */
export function mayBeReported(scene: Scene, found: Found, result: FaultResult): boolean {
  return scene.maySucceedWith?.(found, result) ?? found === "new";
}

/** What a failed write is called; see the reasons of writeFileAtomically. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "disk_full",
  EDQUOT: "disk_full",
  EFBIG: "disk_full",
  EROFS: "read_only",
  EACCES: "not_permitted",
};

/** What a command that got an error from the system must tell, and leave. */
function* brokenByError(
  scene: Scene,
  root: string,
  result: FaultResult,
  errno: string,
): Generator<string> {
  if (result.outcome === "other_error") yield `no OidcError: ${result.text}`;
  if (`${result.text}${result.warnings.join()}`.includes("SECRET-")) yield "a secret in a message";
  if (result.code === "cache_write_failed" && result.reason !== (reasons[errno] ?? "failed")) {
    yield `the reason is ${result.reason}`;
  }
  for (const path of leftoversBelow(root)) yield `left ${path}`;
  const found = scene.find(root);
  if (result.outcome === "done" && !mayBeReported(scene, found, result)) {
    yield `success was reported, and the disk has the ${found} record`;
  }
  if (/What was there before is unchanged/.test(result.text) && found === "new") {
    yield "the message says unchanged, and the disk has the new record";
  }
}

/** What the next process must be able to do where this one was killed. */
async function* brokenByKill(
  scene: Scene,
  root: string,
  hasBegun: boolean,
): AsyncGenerator<string> {
  const found = scene.find(root);
  if ((found === "new") !== hasBegun) {
    yield `the disk has the ${found} record`;
  }
  // Two hours later.
  const past = Date.now() / 1000 - 7200;
  for (const path of leftoversBelow(root)) utimesSync(path, past, past);
  const successor = await startFaultProcess();
  try {
    const command = scene.command(root);
    const work = scene.next ?? "save";
    const result = await successor.tell({ ...command, work, randomSeed: 100 });
    if (result?.outcome !== "done") yield `the next process failed: ${JSON.stringify(result)}`;
    for (const path of leftoversBelow(root)) yield `the next process left ${path}`;
    try {
      scene.assertAfterwards?.(root);
    } catch (error) {
      yield String(error);
    }
  } finally {
    await successor.end();
  }
}

/** What another process must be able to do while one lives on whose lock failed. */
async function* brokenForNeighbour(
  scene: Scene,
  root: string,
  neighbour: FaultProcess,
): AsyncGenerator<string> {
  const command = scene.command(root);
  const work = command.work === "acquire" ? "acquire" : "save";
  const result = await neighbour.tell({ ...command, work, randomSeed: 100 });
  const isLockTaken = work !== "acquire" || result?.states.length === 1;
  if (result?.outcome !== "done" || !isLockTaken) {
    yield `another process failed: ${JSON.stringify(result)}`;
  }
}

/** Which faults a call gets. */
export type FaultChoice = (call: FileCall, isLastChange: boolean) => readonly Fault[];

/** Every round of a scene: each call, with each of its faults. */
export async function runRounds(
  scene: Scene,
  root: string,
  choose: FaultChoice,
): Promise<RoundsReport> {
  const { calls, paths } = await rehearse(scene, root);
  const commit = calls.findIndex((call) => scene.isCommit(call));
  const lastChange = calls.findLastIndex(isChange);
  const broken: string[] = [];
  let rounds = 0;
  const interrupted: FileCall[] = [];
  let faultProcess: FaultProcess | undefined;
  let neighbour: FaultProcess | undefined;
  try {
    for (const [index, call] of calls.entries()) {
      const faults = choose(call, index === lastChange);
      if (faults.length > 0) interrupted.push(call);
      for (const fault of faults) {
        rounds += 1;
        setScene(scene, root);
        faultProcess ??= await startFaultProcess();
        const { result } = await withFault(faultProcess, scene.command(root), call, paths, fault);
        const promises = [...brokenByAnything(scene, root)];
        if (fault.kind === "error") {
          if (result === undefined) promises.push("the process ended");
          else if (promises.length === 0) {
            promises.push(...brokenByError(scene, root, result, fault.errno));
          }
          if (promises.length === 0 && call.ofLock) {
            neighbour ??= await startFaultProcess();
            for await (const line of brokenForNeighbour(scene, root, neighbour)) {
              promises.push(line);
            }
          }
          if (call.ofLock) {
            // A process remembers which lock folders work, and makes fewer calls the next time.
            await faultProcess.end();
            faultProcess = undefined;
          }
        } else {
          await faultProcess.end();
          faultProcess = undefined;
          if (result !== undefined) promises.push("the process lived on");
          const hasBegun =
            commit !== -1 && (fault.kind === "killed_after" ? index >= commit : index > commit);
          if (promises.length === 0) {
            for await (const line of brokenByKill(scene, root, hasBegun)) promises.push(line);
          }
        }
        broken.push(
          ...promises.map(
            (line) => `${describeFault(fault)} at ${call.text.slice(0, 160)}: ${line}`,
          ),
        );
      }
    }
  } finally {
    await faultProcess?.end();
    await neighbour?.end();
  }
  return { calls: interrupted, rounds, broken };
}

const errnos: readonly (readonly [pattern: RegExp, errnos: readonly string[]])[] = [
  [/^(open|mkdir|link|symlink)/, ["EIO", "ENOSPC", "EACCES", "EROFS", "EDQUOT", "EMFILE"]],
  [/^(p?write|writev|f?truncate|fallocate)/, ["EIO", "ENOSPC", "EDQUOT", "EFBIG"]],
  [/^(fsync|fdatasync)/, ["EIO", "ENOSPC", "EDQUOT"]],
  [/^close/, ["EIO", "ENOSPC", "EDQUOT"]],
  [/^(rename|unlink)/, ["EIO", "ENOSPC", "EACCES", "EROFS"]],
  [/./, ["EIO", "EACCES", "ESTALE"]],
];

/** Every error that fits a call. */
export function errorsOf({ name }: FileCall): Fault[] {
  const [, fitting = []] = errnos.find(([pattern]) => pattern.test(name)) ?? [];
  return fitting.map((errno) => ({ kind: "error", errno }));
}

/** Killed before a change, and after the last one: between two changes there is nothing new to be found. */
export function killsInTurn(change: FileCall, isLast: boolean): Fault[] {
  return killsOf(change).filter(({ kind }) => kind === "killed_before" || isLast);
}

/**
 * The rounds of one scene in a set of scenes that share most of their calls: the process is killed as `killsInTurn` says;
 * and each call meets one of the errors that fit it, the next one in each scene, a change the first of them too. In this way
 * every error comes to every kind of call.
 */
export function faultsInTurn(turn: number): FaultChoice {
  return (call, isLastChange) => {
    const errors = errorsOf(call);
    const inTurn = errors[turn % errors.length];
    const met = isChange(call) ? [...new Set([errors[0], inTurn])] : [inTurn];
    const kills = isChange(call) ? killsInTurn(call, isLastChange) : [];
    return [...kills, ...met].filter((fault) => fault !== undefined);
  };
}

/** Both ways to be killed; after a call only where the program is told of it in a call of its own. */
export function killsOf({ tellingWrite }: FileCall): Fault[] {
  const before: Fault = { kind: "killed_before" };
  return tellingWrite === undefined ? [before] : [before, { kind: "killed_after" }];
}
