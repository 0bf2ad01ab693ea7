// What is damaged of a cache file: set aside beside it, and forgotten with the sign-in that it holds. Changes when what
// happens to damaged data does.

import { promises as disk } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Clock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { emit, type Logger } from "../core/events.ts";
import { maxCacheFileBytes } from "../core/limits.ts";
import type { Warn } from "../core/warning.ts";
import { removePrivateFile, writeFailure, writeFileAtomically } from "../files/atomic-write.ts";
import { errnoOf, readPrivateFileSync } from "../files/secure-read.ts";
import { formatCacheFile } from "../record/parse.ts";

/** What setting aside depends on. */
export interface QuarantineWorld {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly onWarning: Warn | undefined;
  readonly logger: Logger | undefined;
}

const quarantinedForm = /^\.damaged-\d{8}T\d{6}Z-[0-9a-f]{8}$/;

/** Where it goes: beside the file, never over another one. */
function quarantinedName(path: string, world: QuarantineWorld): string {
  const time = new Date(world.clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${path}.damaged-${time}-${Buffer.from(world.randomBytes(4)).toString("hex")}`;
}

/** Moves a damaged file away. Only under the file's lock: otherwise it may be a good one by now. */
export async function quarantine(path: string, why: string, world: QuarantineWorld): Promise<void> {
  const movedTo = quarantinedName(path, world);
  try {
    await disk.rename(path, movedTo);
  } catch (error) {
    // Somebody else was first, and has said so.
    if (errnoOf(error) === "ENOENT") return;
    throw writeFailure(path, error);
  }
  emit(world.logger, "cache.damaged", { path, movedTo });
  world.onWarning?.(
    "cache_damaged",
    `The cache file ${path} cannot be used: ${why}. It was moved to ${movedTo}; the sign-ins in it are gone until you ` +
      "sign in again, and that file can be deleted.",
  );
}

/**
 * Keeps the damaged records of a file that is about to be written without them; none that can be used is copied. `said`:
 * what a person is told of it, where it is another thing than that their fields are damaged.
 */
export async function quarantineRecords(
  path: string,
  damaged: readonly unknown[],
  world: QuarantineWorld,
  said?: (movedTo: string) => string,
): Promise<void> {
  const movedTo = quarantinedName(path, world);
  await writeFileAtomically(movedTo, formatCacheFile(damaged), {
    randomBytes: world.randomBytes,
    clock: world.clock,
  });
  emit(world.logger, "cache.damaged", { path, movedTo });
  world.onWarning?.(
    "cache_damaged",
    said?.(movedTo) ??
      `${damaged.length} of the sign-ins in the cache file ${path} cannot be used, because their fields are missing or ` +
        `invalid. The others stay; what was damaged is in ${movedTo}, and can be deleted.`,
  );
}

/** The file beside which a name was set aside; undefined for any other name. */
export function fileOfQuarantined(name: string): string | undefined {
  const at = name.lastIndexOf(".damaged-");
  return at > 0 && quarantinedForm.test(name.slice(at)) ? name.slice(0, at) : undefined;
}

/** Whether a damaged record may be that of a key: one whose key cannot be told may be anybody's. */
export function mayBeOf(record: unknown, key: string): boolean {
  const ofRecord: unknown =
    typeof record === "object" && record !== null && Object.hasOwn(record, "key")
      ? (record as { key: unknown }).key
      : undefined;
  return typeof ofRecord !== "string" || ofRecord === key;
}

function recordsIn(path: string): readonly unknown[] | undefined {
  try {
    const bytes = readPrivateFileSync(path, maxCacheFileBytes);
    const file: unknown = JSON.parse(bytes?.toString("utf8") ?? "");
    const records: unknown = (file as { records?: unknown } | null)?.records;
    return Array.isArray(records) ? (records as unknown[]) : undefined;
  } catch (error) {
    if (isOidcError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Removes what was set aside of a file: all of it, or what may belong to one key. What cannot be told apart goes with
 * it, for nobody can use it.
 * @throws {OidcError} `cache_write_failed`.
 */
export async function forgetQuarantined(path: string, key: string | undefined): Promise<void> {
  const folder = dirname(path);
  for (const name of await disk.readdir(folder).catch(() => [])) {
    if (fileOfQuarantined(name) !== basename(path)) continue;
    const aside = join(folder, name);
    const stats = await disk.lstat(aside).catch(() => undefined);
    if (!stats?.isFile() || stats.uid !== (process.geteuid?.() ?? stats.uid)) continue;
    const records = key === undefined ? undefined : recordsIn(aside);
    const rest = records?.filter((record) => key !== undefined && !mayBeOf(record, key)) ?? [];
    if (records !== undefined && rest.length === records.length) continue;
    if (rest.length === 0) await removePrivateFile(aside);
    else await writeFileAtomically(aside, formatCacheFile(rest));
  }
}
