// What to type about a file that may not be used. Changes when such advice does.

import { lstatSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

/** A path as it can be typed into a shell. */
function typed(path: string): string {
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

/** "Type: …", unless a symbolic link stands on the way: the command would change what that leads to (F-S12). */
export function toType(command: string, path: string): string {
  const link = linkOn(path);
  return link === undefined
    ? `Type: ${command} ${typed(path)}`
    : `${typed(link)} is a symbolic link: see who made it and where it leads before you change anything`;
}

/** What to do about a symbolic link where a file should be. A command that removes a link does not follow it. */
export function aboutLink(path: string): string {
  const above = linkOn(dirname(resolve(path)));
  return above === undefined
    ? `is a symbolic link. Type: rm ${typed(path)}`
    : `is a symbolic link, and so is ${typed(above)}: see who made them before you change anything`;
}

/** Whether this process runs as root for another user: by sudo, or in that user's home folder. */
function isRootFor(owner: number, user: number): boolean {
  return user === 0 && owner !== 0;
}

/** That a file belongs to another user, and what to do. */
export function ownerProblem(path: string, stats: Stats, user: number): string {
  const fact = `belongs to user ${stats.uid}, not to you (user ${user})`;
  // Given to root it would be lost to its owner, who most often started this by sudo (F-T5).
  if (isRootFor(stats.uid, user)) {
    return `belongs to user ${stats.uid}, and this program runs as root. Run it as that user, without sudo, or give root a home folder of its own (sudo -H)`;
  }
  return `${fact}. ${toType(`sudo chown ${user}`, path)}`;
}
