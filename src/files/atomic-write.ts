// The one guarded way to change a file: whole or not at all, durable, for its owner alone. Changes when a step of a
// save does.

import type { FileHandle } from "node:fs/promises";
import { constants, promises as disk } from "node:fs";
import { constants as system } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { OidcError, type Reason } from "../core/errors.ts";
import { option, run, say, type Wording } from "../core/wording.ts";
import { hasEnded, processNamespace } from "./processes.ts";
import { rootsOwnHome } from "./remedy.ts";
import { checkPrivateFileSync, checkPrivateFolderSync, errnoOf } from "./secure-read.ts";

/** The parts of a save that a caller may replace. */
export interface AtomicWriteOptions {
  /** Asked when everything is ready and only the rename is left. False: nothing is changed. */
  readonly onlyIf?: () => boolean;
  /** True where the caller has just judged the file that is replaced, and `onlyIf` says whether it is still that one. */
  readonly isJudged?: boolean;
  /** True where no other process can be saving this file now: its temporary files go whatever their age. */
  readonly exclusive?: boolean;
  /** Default: the runtime's own generator. */
  readonly randomBytes?: (length: number) => Uint8Array;
  /** Times the retries on Windows. Default: the machine's clocks. */
  readonly clock?: Clock;
  /** Default: this process's platform. */
  readonly platform?: NodeJS.Platform;
  /** Default: the file system's. */
  readonly rename?: (from: string, to: string) => Promise<void>;
}

/** Which leftovers go when a file is deleted. */
export interface RemoveOptions {
  /** True where no other process can be saving this file now: its temporary files go whatever their age. */
  readonly exclusive?: boolean;
}

// The number of the process that saves, and that of its namespace where the system has such, then random digits.
const temporaryName =
  /^\.[\w.-]{1,100}\.latchkey-(?:(?<processId>\d{1,10})-(?<namespace>\d{1,20})-)?[0-9a-f]{16}\.tmp$/;
const abandonedAfterMilliseconds: number = 3600 * 1000;
const renameRetryMilliseconds = 2000;
const renamePauseMilliseconds = 20;
const createFlags: number =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function runtimeRandomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** What a failed save means to a person: a stable reason, what happened, what to do. */
function explained(
  errno: string,
): readonly [reason: Reason<"cache_write_failed">, what: string, remedy: Wording] {
  switch (errno) {
    case "ENOSPC":
    case "EDQUOT":
      return ["disk_full", "the disk is full or your quota is used up", ["Free some space."]];
    case "EFBIG":
      return [
        "disk_full",
        "the limit on file sizes is reached",
        say`Raise it (${run("ulimit -f")}).`,
      ];
    case "EROFS":
      return [
        "read_only",
        "the file system is read-only",
        say`Set ${option("cachePath")} to a place that can be written.`,
      ];
    case "EACCES":
    case "EPERM":
      return [
        "not_permitted",
        `it is not permitted (${errno})`,
        say`Check who owns the folders above it, or set ${option("cachePath")} to a place that can be written.`,
      ];
    case "ENOTDIR":
    case "ENOENT":
    case "ENAMETOOLONG":
    case "ELOOP":
    case "EISDIR":
      return [
        "no_such_folder",
        `its folder cannot be reached or made (${errno})`,
        say`Check the path, or set another ${option("cachePath")}.`,
      ];
    default:
      return [
        "failed",
        errno === "" ? "of an unknown fault" : `of a fault of the system (${errno})`,
        say`Check that the disk is in order, or set another ${option("cachePath")}.`,
      ];
  }
}

/** Node has no name for a used-up quota: its code reads "Unknown system error -122". */
function errnoOfChange(error: unknown): string {
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  return errno === -system.errno.EDQUOT ? "EDQUOT" : errnoOf(error);
}

/** A failed change of a file as the error that callers know. An {@link OidcError} stays what it is. */
export function writeFailure(
  path: string,
  error: unknown,
  change: "Saving" | "Deleting" = "Saving",
): OidcError {
  if (error instanceof OidcError) return error;
  const [reason, what, remedy] = explained(errnoOfChange(error));
  return new OidcError(
    "cache_write_failed",
    `${change} ${path} failed, because ${what}. What was there before is unchanged.`,
    { reason, remedy, cause: error },
  );
}

/** A change that every process sees already, and that a power cut may still undo. */
function durabilityFailure(path: string, error: unknown, change: "Saving" | "Deleting"): OidcError {
  const [reason, what, remedy] = explained(errnoOfChange(error));
  const done = change === "Saving" ? "The new content is in its place" : "The file is gone";
  return new OidcError(
    "cache_write_failed",
    `${change} ${path} could not be finished, because ${what}. ${done}, but a power cut may bring back what was there before.`,
    { reason, remedy, cause: error },
  );
}

/** Makes the entries of a folder durable: a rename lives in the folder, not in the file. */
async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its rename is journalled.
  if (process.platform === "win32") return;
  const handle = await disk.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network and user-space file systems have no such call for folders; there is nothing more to do there.
    if (!["EINVAL", "ENOTSUP", "ENOSYS"].includes(errnoOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

/** The last step of a change: from here on it survives a power cut. */
async function makeDurable(path: string, change: "Saving" | "Deleting"): Promise<void> {
  try {
    await syncFolder(dirname(path));
  } catch (error) {
    throw durabilityFailure(path, error, change);
  }
}

/** Root leaves nothing of its own in a user's folders: that user could neither use nor remove it (F-T5). */
async function assertOwnParent(parent: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const { uid } = await disk.stat(parent);
  if (uid === 0) return;
  throw foreignFolder(parent, uid);
}

/** The error of a save for root below a folder of another user. */
export function foreignFolder(parent: string, uid: number): OidcError {
  return new OidcError(
    "cache_write_failed",
    `Nothing was made in ${parent}, because it belongs to user ${uid} and this program runs as root.`,
    { reason: "other_user", remedy: rootsOwnHome },
  );
}

async function makeFolder(folder: string): Promise<void> {
  const parent = dirname(folder);
  for (let tries = 0; ; tries += 1) {
    try {
      await assertOwnParent(parent);
      await disk.mkdir(folder, 0o700);
      break;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EEXIST") return;
      if (errno !== "ENOENT" || parent === folder || tries > 0) throw error;
      await makeFolder(parent);
    }
  }
  // The umask can only take bits away. Where it took the owner's, nobody could use the folder.
  const { mode } = await disk.lstat(folder);
  if (process.platform !== "win32" && (mode & 0o777) !== 0o700) await disk.chmod(folder, 0o700);
  await syncFolder(parent);
}

/**
 * Makes a folder of Latchkey's where it is absent, with every folder above it that is absent too, each 0700 whatever
 * the umask; and judges it where it is there (C01, C02).
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `cache_write_failed`.
 */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  if (process.platform !== "win32" && checkPrivateFolderSync(folder) === "private") return;
  try {
    await makeFolder(resolve(folder));
  } catch (error) {
    throw writeFailure(folder, error);
  }
  checkPrivateFolderSync(folder);
}

/** The part of a temporary file's name that says whose it is. */
function temporaryPrefix(path: string): string {
  return `.${basename(path)
    .replaceAll(/[^\w.-]/g, "_")
    .slice(0, 100)}.latchkey-`;
}

/** Whether a name is that of a temporary file with which this file was to be saved. */
export function isTemporaryOf(path: string, name: string): boolean {
  return temporaryName.test(name) && name.startsWith(temporaryPrefix(path));
}

/** Opens a new file that nobody else can have planted, readable by its owner alone from its first instant. */
async function createTemporary(
  path: string,
  randomBytes: (length: number) => Uint8Array,
): Promise<{ handle: FileHandle; temporary: string }> {
  const random = Buffer.from(randomBytes(8)).toString("hex");
  const maker = `${String(process.pid)}-${processNamespace() ?? "0"}`;
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${maker}-${random}.tmp`);
  return { handle: await disk.open(temporary, createFlags, 0o600), temporary };
}

/** Writes a temporary file to the end and onto the disk; gives the time by the file system's own clock. */
async function fill(handle: FileHandle, bytes: Uint8Array | string): Promise<number> {
  try {
    const { mode } = await handle.stat();
    if (process.platform !== "win32" && (mode & 0o777) !== 0o600) await handle.chmod(0o600);
    await handle.writeFile(bytes);
    await handle.sync();
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
  }
}

/** Windows refuses to rename onto a file that another program has open for a moment: a scanner, an indexer (C15). */
async function renameOver(from: string, to: string, options: AtomicWriteOptions): Promise<void> {
  const rename = options.rename ?? disk.rename;
  const clock = options.clock ?? systemClock;
  const windows = (options.platform ?? process.platform) === "win32";
  const deadline = clock.monotonic() + renameRetryMilliseconds;
  for (;;) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const passing = ["EPERM", "EBUSY", "EACCES"].includes(errnoOf(error));
      if (!windows || !passing || clock.monotonic() >= deadline) throw error;
    }
    await clock.sleep(renamePauseMilliseconds);
  }
}

/**
 * Removes temporary files that a process which died has left. Only names of exactly our form, only files, only this
 * user's (C14); what cannot be removed stays.
 */
async function removeLeftovers(
  folder: string,
  isLeftover: (name: string, modifiedMilliseconds: number) => boolean,
): Promise<void> {
  // The save itself is done, and another process may be tidying up at the same time: nothing here is a failure.
  for (const name of await disk.readdir(folder).catch(() => [])) {
    const { groups, index } = temporaryName.exec(name) ?? {};
    if (index === undefined) continue;
    const path = join(folder, name);
    const stats = await disk.lstat(path).catch(() => undefined);
    if (!stats?.isFile() || stats.uid !== (process.geteuid?.() ?? stats.uid)) continue;
    // Nobody finishes what a process that has ended began, and it holds tokens (C13).
    const isOrphan =
      groups?.["namespace"] === (processNamespace() ?? "0") &&
      hasEnded(Number(groups["processId"]));
    if (isOrphan || isLeftover(name, stats.mtimeMs)) await disk.unlink(path).catch(() => undefined);
  }
}

/**
 * Replaces the content of a file of Latchkey's own: whole or not at all at whatever instant the process dies, durable
 * when it resolves, mode 0600 from its first instant, its folder made where absent.
 * @returns False where `options.onlyIf` said no; then nothing was changed.
 * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `cache_write_failed` (reasons `disk_full`, `read_only`,
 * `not_permitted`, `no_such_folder`, `failed`); no temporary file is left, and nothing was changed unless the message
 * says that the new content is in its place.
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array | string,
  options: AtomicWriteOptions = {},
): Promise<boolean> {
  const folder = dirname(path);
  await ensurePrivateFolder(folder);
  if (options.isJudged !== true) checkPrivateFileSync(path);
  let writtenAt: number;
  let temporary: string | undefined;
  try {
    const created = await createTemporary(path, options.randomBytes ?? runtimeRandomBytes);
    temporary = created.temporary;
    writtenAt = await fill(created.handle, bytes);
    if (options.onlyIf?.() === false) return false;
    await renameOver(temporary, path, options);
    temporary = undefined;
    await makeDurable(path, "Saving");
  } catch (error) {
    throw writeFailure(path, error);
  } finally {
    if (temporary !== undefined) await disk.unlink(temporary).catch(() => undefined);
  }
  await removeLeftovers(
    folder,
    (name, modified) =>
      modified < writtenAt - abandonedAfterMilliseconds ||
      (options.exclusive === true && isTemporaryOf(path, name)),
  );
  return true;
}

/**
 * Deletes a file of Latchkey's own, durably. One that is absent already is no fault.
 * @throws {OidcError} `cache_write_failed`.
 */
export async function removePrivateFile(path: string, options: RemoveOptions = {}): Promise<void> {
  try {
    await disk.unlink(path);
    await makeDurable(path, "Deleting");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw writeFailure(path, error, "Deleting");
  }
  await removeTemporariesOf(path, options.exclusive === true);
}

/**
 * Removes what programs that died while they saved this file have left. `exclusive`: while none can be saving it, so that
 * all of its temporary files go; else those go whose maker has ended.
 */
export async function removeTemporariesOf(path: string, exclusive: boolean = true): Promise<void> {
  await removeLeftovers(dirname(path), (name) => exclusive && isTemporaryOf(path, name));
}
