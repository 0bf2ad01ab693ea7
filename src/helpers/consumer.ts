// Which program asks a helper: the one that failed a moment ago, or another. Changes when a system tells of processes in
// another way.

import { readFileSync } from "node:fs";
import { processNamespace } from "../files/processes.ts";

/** A process as the system tells of it. */
export interface ProcessFacts {
  readonly parent: number;
  /** Without its folder; the system may cut it after 15 characters. */
  readonly name: string;
  /** In the system's own unit: with the number it names one process until the machine is started anew. */
  readonly startedAt: string;
  readonly words: readonly string[];
}

/** Tells of a process; undefined where the system does not. */
export type ProcessReader = (processId: number) => ProcessFacts | undefined;

const maxAncestors = 16;
const shells = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox"]);

/** Reads `/proc` (proc(5)). The name in parentheses may hold spaces and parentheses itself. */
export function readProcess(processId: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${String(processId)}/stat`, "latin1");
    const end = stat.lastIndexOf(")");
    // Behind the name: state, ppid, … and as the twentieth of them starttime.
    const fields = stat.slice(end + 2).split(" ");
    return {
      parent: Number(fields[1]),
      name: stat.slice(stat.indexOf("(") + 1, end),
      startedAt: String(fields[19]),
      words: readFileSync(`/proc/${String(processId)}/cmdline`, "latin1")
        .split("\0")
        .slice(0, -1),
    };
  } catch {
    return undefined;
  }
}

/** A shell that runs a command or a script for somebody else. One at which a person types has flags at most. */
function isWrapper({ name, words }: ProcessFacts): boolean {
  const [, ...rest] = words;
  return (
    name === "env" ||
    (shells.has(name) && rest.some((word) => word === "-c" || !word.startsWith("-")))
  );
}

function isShell({ name }: ProcessFacts): boolean {
  return shells.has(name);
}

/** The start of the machine: until the next one a number and its start name one process. */
function bootOf(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/**
 * A name for the process that a helper works for, the same for each of its calls: the parent, seen through the shells in
 * between. `family`: a tool that starts itself for parts of its work (`git`) counts as the outermost of them. Undefined
 * where that is a person at a shell, or cannot be told.
 */
export function consumerOf(
  parent: number,
  family?: RegExp,
  read: ProcessReader = readProcess,
): string | undefined {
  let found: string | undefined;
  let processId = parent;
  for (let seen = 0; seen < maxAncestors && processId > 1; seen += 1) {
    const facts = read(processId);
    if (facts === undefined) break;
    if (!isWrapper(facts)) {
      if (found !== undefined && family?.test(facts.name) !== true) break;
      if (isShell(facts)) break;
      found = JSON.stringify([bootOf(), processNamespace() ?? "", processId, facts.startedAt]);
      if (family?.test(facts.name) !== true) break;
    }
    processId = facts.parent;
  }
  return found;
}
