// What the system tells of other processes. Changes when a system tells it in another way.

import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

let ownNamespace: string | null | undefined;

/**
 * The number of this process's namespace of process ids: in another one the same number means another process.
 * Undefined where the system does not tell, or knows no such thing.
 */
export function processNamespace(): string | undefined {
  if (ownNamespace === undefined) {
    try {
      ownNamespace = /\[(\d+)\]/u.exec(readlinkSync("/proc/self/ns/pid"))?.[1] ?? null;
    } catch {
      ownNamespace = null;
    }
  }
  return ownNamespace ?? undefined;
}

/** True where no process of this namespace has the number any more. */
export function hasEnded(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/** True where a process is known to be stopped: by Ctrl-Z, SIGSTOP, or because it wanted the terminal in the background. */
export function isStopped(processId: number): boolean {
  try {
    const text = readFileSync(`/proc/${String(processId)}/stat`, "latin1");
    // The program's name stands in brackets, and may hold some itself.
    return /^\) [Tt] /u.test(text.slice(text.lastIndexOf(")")));
  } catch {
    return false;
  }
}

/** Numbers of the sockets that listen at an abstract name (`\0` and the rest). */
function listenersAt(address: string): Set<string> {
  const shown = address.replaceAll("\0", "@");
  const found = new Set<string>();
  for (const line of readFileSync("/proc/net/unix", "latin1").split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path; __SO_ACCEPTCON of the kernel is 1 << 16.
    const [, , , flags = "", , , inode = "", path] = line.trim().split(/\s+/u);
    if (path === shown && flags === "00010000") found.add(inode);
  }
  return found;
}

function hasSocket(processId: string, sockets: ReadonlySet<string>): boolean {
  const folder = `/proc/${processId}/fd`;
  try {
    return readdirSync(folder).some((name) => {
      try {
        const inode = /^socket:\[(\d+)\]$/u.exec(readlinkSync(`${folder}/${name}`))?.[1];
        return inode !== undefined && sockets.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/**
 * Whether none of this user's processes listens at an abstract name at which somebody listens. Undefined where that
 * cannot be told.
 */
export function isListenedAtByStranger(address: string): boolean | undefined {
  try {
    const sockets = listenersAt(address);
    if (sockets.size === 0) return undefined;
    const user = process.geteuid?.();
    return !readdirSync("/proc").some(
      (name) =>
        /^\d+$/u.test(name) &&
        statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === user &&
        hasSocket(name, sockets),
    );
  } catch {
    return undefined;
  }
}
