// Finds the system calls of a use of the store, and makes one of them fail. Changes when strace writes its lines in
// another way, or another kind of fault is wanted.
import type { CallingThread, FaultProcess, TracedResult } from "./fault-process.ts";
import type { FaultCommand } from "./fault-worker.ts";

/** One call that touches the files below a folder. */
export interface FileCall {
  readonly thread: CallingThread;
  readonly name: string;
  /** Counts from 1: the calls of this name by this thread that touch the folder. */
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

/** Runs the command once, and lists its calls that touch the files below `root`, in their order. */
export async function callsOf(
  faultProcess: FaultProcess,
  command: FaultCommand,
  root: string,
): Promise<FileCall[]> {
  const { result, lines } = await faultProcess.traced(command, {
    thread: undefined,
    parameters: ["-s", "200", "-e", "trace=%file,%desc"],
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
    const paths = pathsOf(text).filter((path) => isBelow(path, root));
    const writes = name === "write" ? count(`${thread} every write`) : 0;
    if (paths.length === 0) {
      const last = calls.at(-1);
      const isTelling = thread === "pool" && name === "write" && text.includes("eventfd");
      if (isTelling && last?.thread === "pool" && last.tellingWrite === undefined) {
        calls[calls.length - 1] = { ...last, tellingWrite: writes };
      }
      continue;
    }
    const occurrence = count(`${thread} ${name}`);
    calls.push({
      thread,
      name,
      occurrence,
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
    /^(write|pwrite|fsync|fdatasync|f?truncate|rename|unlink|rmdir|mkdir|link|symlink|f?chmod|fchmodat|utime)/.test(
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
  const parameters = [
    ...everyPath.flatMap((path) => ["-P", path]),
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

function expectFaultAt(call: FileCall, traced: TracedResult, line: string | undefined): void {
  const parsed = line === undefined ? undefined : parseLine(line, 0);
  const hit = parsed === undefined ? "none" : `${parsed.name} ${pathsOf(parsed.text).join(" ")}`;
  const wanted = `${call.name} ${call.paths.join(" ")}`;
  if (!hit.startsWith(wanted)) {
    throw new Error(`the fault came at ${hit}, not at ${wanted}:\n${traced.lines.join("\n")}`);
  }
}
