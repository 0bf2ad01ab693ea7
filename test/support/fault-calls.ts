// Finds the system calls of a use of the store, and makes one of them fail. Changes when strace writes its lines in
// another way, or another kind of fault is wanted.
import type { CallingThread, FaultProcess, TracedResult } from "./fault-process.ts";
import type { FaultCommand } from "./fault-worker.ts";

/** One call that touches the files below a folder. */
export interface FileCall {
  readonly thread: CallingThread;
  readonly name: string;
  /** True where the names in the call are made anew each time the lock is taken. */
  readonly ofLock: boolean;
  /**
   * Counts from 1: the calls of this name by this thread that touch the folder and are not of the lock; for one of the
   * lock, whose paths are not known beforehand, all calls of this name by this thread.
   */
  readonly occurrence: number;
  readonly paths: readonly string[];
  /** Which call of the name `write`, by this thread and wherever to, tells Node that this call is done. */
  readonly tellingWrite: number | undefined;
  /** As strace writes it, for people. */
  readonly text: string;
}

/** What happens to the call. */
export type Fault =
  /** The process is killed before the kernel does anything. */
  | { readonly kind: "killed_before" }
  /** The process is killed as soon as the kernel has done it, before the program knows. */
  | { readonly kind: "killed_after" }
  | { readonly kind: "error"; readonly errno: string };

const noMatch = /$^/;

interface TraceLine {
  readonly threadId: number;
  readonly name: string;
  readonly text: string;
}

/** The calls in the order in which they began. Where two overlap, strace finishes a line later: that half is dropped. */
function parseLine(line: string, onlyThread: number): TraceLine | undefined {
  const match = /^(?:\[pid\s+(\d+)\] )?(\w+)\((.*)$/.exec(line);
  const [, threadId, name, rest] = match ?? noMatch.exec("x") ?? [];
  if (name === undefined || rest === undefined) return undefined;
  const text = rest.replace(/ <unfinished \.\.\.>$|\)\s+= .*$/, "");
  return { threadId: threadId === undefined ? onlyThread : Number(threadId), name, text };
}

/** Paths in the call's arguments, and of the files that its descriptors stand for. */
function pathsOf(text: string): string[] {
  const quoted = [...text.matchAll(/(?<!\\)"(\/[^"]*)"/g)].map((match) => match[1] ?? "");
  const described = [...text.matchAll(/\b\d+<(\/[^>]*)>/g)].map((match) => match[1] ?? "");
  return [...quoted, ...described];
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

// A lock's folder is named after the inode of `lock-id`, its socket after a process and at random; the socket's path is
// too long for `bind`, and stands behind a descriptor there.
const lockFolder = /\/locks\/[0-9a-f]{32}(?=\/|$)/;
const socketName = /\/holder-\d+-\d+-[0-9a-f]{16}$/;
// Sockets that answer come and go by the clock, and their descriptors are closed like those of folders. How often a
// folder is looked at, which changes nothing, depends on them.
const uncounted = /^(close|read|write|newfstatat|fstat)/;

function isOfLock(path: string): boolean {
  return lockFolder.test(path) || socketName.test(path);
}

/** A call's paths as they are in every run. */
export function steadyPaths(paths: readonly string[]): string[] {
  return paths.map((path) =>
    path
      .replace(/\.latchkey-\d+-\d+-/, ".latchkey-MAKER-")
      .replace(lockFolder, "/locks/LOCK")
      .replace(socketName, "/holder-MAKER")
      .replace(/^\/proc\/self\/fd\/\d+\//, "/proc/self/fd/N/"),
  );
}

/** The path that a process gives a temporary file which another one made. */
function pathIn({ processId }: FaultProcess, path: string): string {
  return path.replace(/\.latchkey-\d+-/, `.latchkey-${String(processId)}-`);
}

/** Runs the command once, and lists its calls that touch the files below `root`, in their order. */
export async function callsOf(
  faultProcess: FaultProcess,
  command: FaultCommand,
  root: string,
): Promise<FileCall[]> {
  const { result, lines } = await faultProcess.traced(command, {
    thread: undefined,
    parameters: ["-s", "200", "-e", "trace=%file,%desc,bind"],
  });
  if (result?.outcome !== "done") throw new Error(`without a fault: ${JSON.stringify(result)}`);
  const counts = new Map<string, number>();
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  };
  const calls: FileCall[] = [];
  for (const line of lines) {
    const parsed = parseLine(line, faultProcess.processId);
    if (parsed === undefined) continue;
    const { threadId, name, text } = parsed;
    const thread =
      threadId === faultProcess.processId
        ? "main"
        : threadId === faultProcess.poolThread
          ? "pool"
          : undefined;
    if (thread === undefined) continue;
    const paths = pathsOf(text).filter((path) => isBelow(path, root) || socketName.test(path));
    const anywhere = count(`${thread} every ${name}`);
    const writes = name === "write" ? anywhere : 0;
    if (paths.length === 0) {
      const last = calls.at(-1);
      const isTelling = thread === "pool" && name === "write" && text.includes("eventfd");
      if (isTelling && last?.thread === "pool" && last.tellingWrite === undefined) {
        calls[calls.length - 1] = { ...last, tellingWrite: writes };
      }
      continue;
    }
    const ofLock = paths.some(isOfLock);
    if (ofLock && uncounted.test(name)) continue;
    calls.push({
      thread,
      name,
      ofLock,
      occurrence: ofLock ? anywhere : count(`${thread} ${name}`),
      paths,
      tellingWrite: undefined,
      text: `${name}(${text})`,
    });
  }
  return calls;
}

/** Whether a call may change what is on the disk. */
export function isChange({ name, text }: FileCall): boolean {
  return (
    /^(write|pwrite|fsync|fdatasync|f?truncate|rename|unlink|rmdir|mkdir|bind|link|symlink|f?chmod|fchmodat|utime)/.test(
      name,
    ) || /O_CREAT|O_TRUNC/.test(text)
  );
}

/** Runs the command with a fault at one of its calls, and makes sure that the fault came there. */
export async function withFault(
  faultProcess: FaultProcess,
  command: FaultCommand,
  call: FileCall,
  everyPath: readonly string[],
  fault: Fault,
): Promise<TracedResult> {
  if (fault.kind === "killed_after") {
    const parameters = [
      "-e",
      `trace=${call.name},write`,
      "-e",
      `inject=write:signal=SIGKILL:when=${call.tellingWrite ?? 0}`,
    ];
    const traced = await faultProcess.traced(command, { thread: call.thread, parameters });
    // The last line is of the write that tells; the one before it is the call.
    expectFaultAt(call, traced, traced.lines.filter((line) => /^\w+\(/.test(line)).at(-2));
    return traced;
  }
  const action = fault.kind === "error" ? `error=${fault.errno}` : "signal=SIGKILL";
  const known = call.ofLock ? [] : everyPath.filter((path) => !isOfLock(path));
  const parameters = [
    ...known.flatMap((path) => ["-P", pathIn(faultProcess, path)]),
    "-e",
    `trace=${call.name}`,
    "-e",
    `inject=${call.name}:${action}:when=${call.occurrence}`,
  ];
  const traced = await faultProcess.traced(command, { thread: call.thread, parameters });
  const hit =
    fault.kind === "error"
      ? traced.lines.find((line) => line.includes("(INJECTED)"))
      : traced.lines.filter((line) => /^\w+\(/.test(line)).at(-1);
  expectFaultAt(call, traced, hit);
  return traced;
}

function stepText(name: string, paths: readonly string[]): string {
  return `${name} ${steadyPaths(paths).join(" ")}`;
}

function expectFaultAt(call: FileCall, traced: TracedResult, line: string | undefined): void {
  const parsed = line === undefined ? undefined : parseLine(line, 0);
  const hit = parsed === undefined ? "none" : stepText(parsed.name, pathsOf(parsed.text));
  const wanted = stepText(call.name, call.paths);
  if (!hit.startsWith(wanted)) {
    throw new Error(`the fault came at ${hit}, not at ${wanted}:\n${traced.lines.join("\n")}`);
  }
}
