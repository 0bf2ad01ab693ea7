// Small file systems of the test's own, which can be filled, made read-only, or lose their power. Changes when tests
// need another kind of disk.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findCommand } from "../../scripts/debian-packages.mjs";
import { tellMissing } from "./debian-packages.ts";

/** A mounted file system. */
export interface SmallDisk {
  /** An empty folder of this user's, 0700. */
  readonly path: string;
  /** Fills the disk until so many blocks are free (as far as the file system tells). */
  fillUpTo(freeBlocks: number): void;
  /** Gives all back that `fillUpTo` took. */
  empty(): void;
  setReadOnly(isReadOnly: boolean): void;
  unmount(): void;
}

/** A disk that can lose its power. */
export interface PowerCutDisk extends SmallDisk {
  /** Everything that was written so far becomes durable. */
  settle(): void;
  /**
   * What is on the disk if the power goes now and the machine starts again: `look` gets the folder. The disk itself
   * goes on.
   */
  afterPowerCut<Result>(look: (path: string) => Result): Result;
}

function run(program: string, ...parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${program} ${parameters.join(" ")}: ${String(error ?? stderr)}`);
  }
}

interface Mounted extends SmallDisk {
  readonly folder: string;
}

/** Mounts, or leaves nothing behind. */
function mounted(source: string, options: readonly string[], given?: string): Mounted {
  const folder = given ?? mkdtempSync(join(tmpdir(), "latchkey-disk-"));
  const mountPoint = join(folder, "disk");
  mkdirSync(mountPoint, { recursive: true, mode: 0o700 });
  try {
    run("mount", ...options, source, mountPoint);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const path = join(mountPoint, "home");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const ballast = join(mountPoint, "ballast");
  return {
    folder,
    path,
    fillUpTo: (freeBlocks) => fill(ballast, mountPoint, freeBlocks),
    empty: () => rmSync(ballast, { force: true }),
    setReadOnly: (isReadOnly) =>
      run("mount", "-o", `remount,${isReadOnly ? "ro" : "rw"}`, mountPoint),
    unmount: () => {
      run("umount", mountPoint);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Block by block: how much a block costs beside itself is the file system's own affair. */
function fill(ballast: string, mountPoint: string, freeBlocks: number): void {
  const descriptor = openSync(ballast, "a", 0o600);
  try {
    let size = 0;
    for (;;) {
      const { bavail, bsize } = statfsSync(mountPoint);
      if (bavail <= freeBlocks) return;
      // No farther than what is left: what the last write takes beside its blocks is seen in the next turn.
      const blocks = Math.max(1, Math.floor((bavail - freeBlocks) / 2));
      try {
        size += writeSync(descriptor, Buffer.alloc(blocks * bsize, 1));
        fsyncSync(descriptor);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        ftruncateSync(descriptor, size);
        return;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A file system in memory. `files`: how many it can have, its own folder included. */
export function mountMemoryDisk(size: string, files: number = 1000): SmallDisk {
  return mounted("none", ["-t", "tmpfs", "-o", `size=${size},nr_inodes=${files},mode=0700`]);
}

/**
 * ext4 in a file. Without `auto_da_alloc`, which forgives a program that does not sync before it renames, and with no
 * commit of its own accord: only what was asked for is durable.
 */
export function mountPowerCutDisk(mebibytes: number): PowerCutDisk {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-disk-"));
  const image = join(folder, "image");
  const descriptor = openSync(image, "wx", 0o600);
  ftruncateSync(descriptor, mebibytes * 1024 * 1024);
  closeSync(descriptor);
  const options = ["-o", "loop,noauto_da_alloc,commit=600"];
  let disk: Mounted;
  try {
    run(
      "mkfs.ext4",
      "-q",
      "-b",
      "1024",
      "-m",
      "0",
      "-J",
      "size=1",
      "-E",
      "lazy_itable_init=0",
      image,
    );
    disk = mounted(image, options, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    ...disk,
    settle: () => run("sync", "-f", disk.path),
    afterPowerCut: (look) => {
      const copyFolder = mkdtempSync(join(tmpdir(), "latchkey-disk-"));
      const copy = join(copyFolder, "image");
      copyFileSync(image, copy);
      const afterwards = mounted(copy, options, copyFolder);
      try {
        return look(afterwards.path);
      } finally {
        afterwards.unmount();
      }
    },
  };
}

function probe(mount: () => SmallDisk, what: string): boolean {
  try {
    mount().unmount();
    return true;
  } catch {
    tellMissing(`this user may not mount ${what} (optional, Debian package mount)`);
    return false;
  }
}

/** Whether a file system in memory can be mounted: it takes root. The reason stands beside the skipped tests. */
export function canMountMemoryDisk(): boolean {
  return probe(() => mountMemoryDisk("64k"), "a file system in memory");
}

/** Whether ext4 in a file can be mounted: it takes root, a loop device and mkfs.ext4. */
export function canMountPowerCutDisk(): boolean {
  if (findCommand("mkfs.ext4") === undefined) {
    tellMissing("mkfs.ext4 is not installed (optional, Debian package e2fsprogs)");
    return false;
  }
  return probe(() => mountPowerCutDisk(4), "a disk in a file");
}
