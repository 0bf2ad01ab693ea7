// What is wrong with a file that may not be used, and what to do about it.

import { lstatSync, type Stats } from "node:fs";
import { run, say, type Wording } from "../core/wording.ts";
import { dirname, resolve } from "node:path";

/** Why a file may not be used: `what` follows its name, without a stop at its end. */
export interface FileProblem {
  readonly what: string;
  /** Whole sentences. */
  readonly remedy: Wording;
}

/** A path as it can be typed into a shell. */
export function typedPath(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** Mode bits as `chmod` takes them. */
export function modeOf(stats: Stats): string {
  return `0${(stats.mode & 0o777).toString(8)}`;
}

/** The first part of a path that is a symbolic link, other than root's own (`/tmp` of macOS). */
function linkOn(path: string): string | undefined {
  const whole = resolve(path);
  const links: string[] = [];
  for (let at = whole; at !== dirname(at); at = dirname(at)) {
    try {
      const stats = lstatSync(at);
      if (stats.isSymbolicLink() && stats.uid !== 0) links.push(at);
    } catch {
      // It cannot be seen: nothing to say of it.
    }
  }
  return links.at(-1);
}

/**
 * "Type: …", unless a symbolic link stands on the way: the command would change what that leads to (F-S12).
 * What is to be typed stands at the end, without a stop that could be copied with it. `alternative` follows the command.
 */
export function toType(command: string, path: string, alternative = ""): Wording {
  const link = linkOn(path);
  return link === undefined
    ? say`Type: ${run(`${command} ${typedPath(path)}`)}${alternative}`
    : say`${typedPath(link)} is a symbolic link: see who made it and where it leads before you change anything.`;
}

/** A symbolic link where a file should be. A command that removes a link does not follow it. */
export function linkProblem(path: string): FileProblem {
  const above = linkOn(dirname(resolve(path)));
  return {
    what: "is a symbolic link",
    remedy:
      above === undefined
        ? say`Type: ${run(`rm ${typedPath(path)}`)}`
        : say`${typedPath(above)} is a symbolic link, too: see who made them before you change anything.`,
  };
}

/** What root does instead of making files in another user's folders. */
export const rootsOwnHome: Wording = say`Run it as that user, without sudo, or give root a home folder of its own (${run("sudo -H")}).`;

/** Whether this process runs as root for another user: by sudo, or in that user's home folder. */
function isRootFor(owner: number, user: number): boolean {
  return user === 0 && owner !== 0;
}

/** That a file belongs to another user, and what to do. */
export function ownerProblem(path: string, stats: Stats, user: number): FileProblem {
  // Given to root it would be lost to its owner, who most often started this by sudo (F-T5).
  if (isRootFor(stats.uid, user)) {
    return {
      what: `belongs to user ${stats.uid}, and this program runs as root`,
      remedy: rootsOwnHome,
    };
  }
  return {
    what: `belongs to user ${stats.uid}, not to you (user ${user})`,
    remedy: toType(`sudo chown ${user}`, path),
  };
}
