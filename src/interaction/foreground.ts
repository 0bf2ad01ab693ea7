// Whether this process may use the terminal that it was started from: reading it, or changing its mode, stops a
// background job (SIGTTIN, SIGTTOU).

import { readFileSync } from "node:fs";

/** What a process is to its controlling terminal. "unknown" where the system does not tell without a call of its own. */
export type TerminalRole = "foreground" | "background" | "none" | "unknown";

/**
 * Reads the role from `/proc/PID/stat`: the process group beside the terminal's foreground group (proc(5), fields
 * `pgrp` and `tpgid`). The name in parentheses may hold spaces and parentheses itself.
 */
export function terminalRoleOf(stat: string): TerminalRole {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [group, foregroundGroup] = [Number(fields[2]), Number(fields[5])];
  if (!Number.isInteger(group) || !Number.isInteger(foregroundGroup)) return "unknown";
  if (foregroundGroup <= 0) return "none";
  return group === foregroundGroup ? "foreground" : "background";
}

/** The role of this process now; a shell's `fg` and `bg` change it. */
export function terminalRole(): TerminalRole {
  if (process.platform !== "linux") return "unknown";
  try {
    return terminalRoleOf(readFileSync("/proc/self/stat", "utf8"));
  } catch {
    return "unknown";
  }
}
