// What a silent refresh costs: how often the record is opened and made durable, and how many files of ours it enters.
// Prints the counts. Changes when a refresh may cost more.

import fs, { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { CacheFile } from "../../src/record/format.ts";
import { credential, emptyHome, provider } from "./harness.ts";

/** What is done to the disk. */
interface DiskCounts {
  /** How often each path is opened. */
  readonly opens: Map<string, number>;
  syncs: number;
  renames: number;
}

/** Counts the real calls until the test ends. */
async function countDisk(): Promise<DiskCounts> {
  const counts: DiskCounts = { opens: new Map(), syncs: 0, renames: 0 };
  const opened = (path: unknown): void => {
    counts.opens.set(String(path), (counts.opens.get(String(path)) ?? 0) + 1);
  };
  const { openSync } = fs;
  const { open, rename } = fs.promises;
  const handle = await open("/dev/null");
  const handles = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  // oxlint-disable-next-line typescript/unbound-method -- called on each handle below
  const { sync } = handles;
  fs.openSync = (path, ...rest) => {
    opened(path);
    return openSync(path, ...rest);
  };
  fs.promises.open = (path, ...rest) => {
    opened(path);
    return open(path, ...rest);
  };
  fs.promises.rename = (...paths) => {
    counts.renames += 1;
    return rename(...paths);
  };
  handles.sync = function counted(this: typeof handle) {
    counts.syncs += 1;
    return sync.call(this);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.openSync = openSync;
    Object.assign(fs.promises, { open, rename });
    handles.sync = sync;
    syncBuiltinESMExports();
  });
  return counts;
}

/** The files of ours in which a function runs meanwhile. */
async function filesEntered(work: () => Promise<void>): Promise<readonly string[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await work();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    return result
      .filter(({ functions }) =>
        functions.some(({ functionName, ranges }) => functionName !== "" && ranges[0]?.count),
      )
      .flatMap(({ url }) => /\/src\/(\S+\.ts)$/.exec(url)?.[1] ?? [])
      .toSorted();
  } finally {
    session.disconnect();
  }
}

/** Lets the token expire, as time does: nobody has touched the file since. */
function expire(path: string): void {
  const file = JSON.parse(readFileSync(path, "utf8")) as CacheFile;
  const [{ accessToken } = { accessToken: null }] = file.records;
  if (accessToken === null) throw new Error("nothing is cached");
  accessToken.issuedAt -= 7200;
  accessToken.expiresAt = accessToken.issuedAt + 3600;
  writeFileSync(path, JSON.stringify(file));
  utimesSync(path, accessToken.issuedAt, accessToken.issuedAt);
}

test("a silent refresh opens the record four times and makes two durable writes", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  const path = auth.resolvedCachePath();
  expire(path);
  const counts = await countDisk();
  const entered = await filesEntered(async () => {
    expect((await credential(identityProvider).getToken()).source).toBe("refresh");
  });
  const figures = {
    opens: counts.opens.get(path) ?? 0,
    folderChecks: counts.opens.get(dirname(path)) ?? 0,
    renames: counts.renames,
    syncs: counts.syncs,
    filesEntered: entered.length,
  };
  process.stdout.write(`a silent refresh: ${JSON.stringify(figures)}\n${entered.join(" ")}\n`);
  // The first look, the one under the lock, the intent read back, and the comparison before the new tokens are written.
  expect(figures.opens).toBeLessThanOrEqual(4);
  // The intent and the tokens: each a file and its folder.
  expect([figures.renames, figures.syncs]).toEqual([2, 4]);
});
