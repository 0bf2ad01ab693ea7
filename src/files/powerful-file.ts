// Judges a file that the user named by its path and that has power over Latchkey: trusted roots, settings, a secret, a
// token. Changes when what such a file must be does.

import { lstatSync, readlinkSync, statSync, type Stats } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";

import { modeOf, ownerProblem, toType, type FileProblem } from "./remedy.ts";

const maxLinks = 40;
// Of a folder such as /tmp: nobody removes or replaces what is another's.
const sticky = 0o1000;

function isTrusted(stats: Stats, user: number): boolean {
  return stats.uid === user || stats.uid === 0;
}

/** What is wrong with the folder of a file that has power, in words that follow the file; undefined where nothing is. */
export function folderProblemOf(folder: string, user: number): FileProblem | undefined {
  const stats = statSync(folder);
  const named = `lies in the folder ${folder}, which`;
  if (!isTrusted(stats, user)) {
    const { what, remedy } = ownerProblem(folder, stats, user);
    return { what: `${named} ${what}`, remedy };
  }
  if ((stats.mode & 0o022) === 0 || (stats.mode & sticky) !== 0) return undefined;
  return {
    what: `${named} can be written by other users (mode ${modeOf(stats)})`,
    remedy: toType("chmod go-w", folder),
  };
}

/**
 * What is wrong with a file that was opened at `path`; undefined where it may be used. The file and its folder belong to
 * this user or root, and others cannot write them; where links lead to it (a container's secrets, a dotfile manager),
 * each link and its folder too. `stats` are those of the descriptor. A pipe has no folder; only its owner counts. The
 * folders above are the machine's. On Windows nothing is asked.
 */
export function powerProblem(
  path: string,
  stats: Stats,
  user: number | undefined = process.geteuid?.(),
): FileProblem | undefined {
  if (user === undefined) return undefined;
  if (!isTrusted(stats, user)) return ownerProblem(path, stats, user);
  if (!stats.isFile()) return undefined;
  if ((stats.mode & 0o022) !== 0) {
    return {
      what: `can be written by other users (mode ${modeOf(stats)})`,
      remedy: toType("chmod go-w", path),
    };
  }
  let at = resolve(path);
  for (let links = 0; links < maxLinks; links += 1) {
    const problem = folderProblemOf(dirname(at), user);
    if (problem !== undefined) return problem;
    const entry = lstatSync(at);
    if (!entry.isSymbolicLink()) return undefined;
    if (!isTrusted(entry, user)) {
      return {
        what: `is reached by the symbolic link ${at}, which belongs to user ${entry.uid}`,
        remedy: ["Remove it, or name another path."],
      };
    }
    const target = readlinkSync(at);
    at = isAbsolute(target) ? resolve(target) : resolve(dirname(at), target);
  }
  return undefined;
}
