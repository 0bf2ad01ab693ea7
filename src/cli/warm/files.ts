// Files for a warm start: opened, judged by their descriptor, read. A part of what files/secure-read allows, nothing
// beyond it, and without its words. Changes when those guards do. A test holds it against files/secure-read.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW, O_DIRECTORY } = constants;
// Far above any sign-in or configuration; what is longer is the full program's to read.
const maxBytes = 1024 * 1024;

function look<Result>(
  path: string,
  flags: number,
  use: (stats: Stats, descriptor: number) => Result | undefined,
): Result | undefined {
  const descriptor = openSync(path, flags);
  try {
    return use(fstatSync(descriptor), descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function read(stats: Stats, descriptor: number): string | undefined {
  // As text in one call: several times cheaper than by way of a buffer (measured).
  return stats.isFile() && stats.size <= maxBytes ? readFileSync(descriptor, "utf8") : undefined;
}

/**
 * A file of Latchkey's own, in a folder of its own: both of this user and closed to everybody else, no link (C02, C03,
 * C04). Undefined where that is not so; throws where there is nothing.
 */
export function readOwnFile(path: string): string | undefined {
  const user = process.geteuid?.();
  const isOwn = (stats: Stats): boolean => stats.uid === user && (stats.mode & 0o077) === 0;
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  return look(folder, O_RDONLY | O_NONBLOCK | O_DIRECTORY, isOwn)
    ? look(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, (stats, descriptor) =>
        isOwn(stats) && stats.nlink < 2 ? read(stats, descriptor) : undefined,
      )
    : undefined;
}

/** The configuration file and its folder: of this user or root, and nobody else's to write; no link. */
export function readConfiguration(path: string): string | undefined {
  const user = process.geteuid?.();
  const isTrusted = (stats: Stats): boolean =>
    (stats.uid === user || stats.uid === 0) && (stats.mode & 0o022) === 0;
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  return look(folder, O_RDONLY | O_NONBLOCK | O_DIRECTORY, isTrusted)
    ? look(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, (stats, descriptor) =>
        isTrusted(stats) ? read(stats, descriptor) : undefined,
      )
    : undefined;
}
