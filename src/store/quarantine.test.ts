// What is damaged, foreign or too long, and what of it a logout takes. Changes when what happens to such data does.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { maxCacheFileBytes } from "../core/limits.ts";
import { processNamespace } from "../files/processes.ts";
import { createProcessLock, type ProcessLock } from "../lock/protocol.ts";
import { cacheFileName } from "../record/key.ts";
import { formatCacheFile } from "../record/parse.ts";
import { RecordRepository, recordsIn } from "../session/record-repository.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { createFileStore, type FileStoreLocation } from "./file-store.ts";
import type { TokenStore } from "./token-store.ts";

let scratch = "";
let folder = "";
let shared = "";
let file = "";

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-aside-"));
  folder = join(scratch, "state");
  shared = join(scratch, "custom");
  file = join(shared, "cache.json");
  for (const each of [folder, shared]) mkdirSync(each, { mode: 0o700 });
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const lock = (): ProcessLock => createProcessLock({ folder, clock: systemClock, randomBytes });

function open(location: FileStoreLocation, locks: ProcessLock = lock()): TokenStore {
  return createFileStore({ location, lock: locks, clock: systemClock, randomBytes });
}

const inFile = (locks?: ProcessLock): TokenStore => open({ kind: "file", path: file }, locks);
const inFolder = (): TokenStore => open({ kind: "folder", folder });
const broken = (clientId: string): unknown => ({ ...exampleRecord(clientId, "b.1"), version: 7 });

/** All that lies in the two folders, as one text. */
function everything(): string {
  return [folder, shared]
    .flatMap((place) =>
      readdirSync(place, { withFileTypes: true })
        .filter((each) => each.isFile())
        .map((each) => `${each.name}: ${readFileSync(join(place, each.name), "latin1")}`),
    )
    .join("\n");
}

function plant(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}

/** As `logout` of one configuration does. */
async function forget(store: TokenStore, clientId: string): Promise<void> {
  await new RecordRepository(store, exampleKey(clientId), () => undefined).forget();
}

test("logout beside a damaged record leaves nothing of the sign-in that it forgets, and the damaged one to others [F-S6]", async () => {
  plant(file, formatCacheFile([exampleRecord("one", "a.1"), broken("two")]));
  await forget(inFile(), "one");
  expect(everything()).not.toContain("refresh-of-a.1");
  expect(everything()).toContain("refresh-of-b.1");
  await forget(inFile(), "two");
  expect(everything()).not.toContain("refresh-of-b.1");
  expect(readdirSync(shared)).toEqual([]);
});

test("logout of a damaged sign-in takes it out of a file that others go on using [F-S6]", async () => {
  plant(file, formatCacheFile([exampleRecord("one", "a.1"), broken("two"), broken("three")]));
  await forget(inFile(), "two");
  const text = everything();
  expect(text.split(exampleKey("two").replaceAll('"', String.raw`\"`))).toHaveLength(1);
  expect(text).toContain("refresh-of-a.1");
  expect(text).toContain("refresh-of-b.1");
});

test("logout takes the copies that were set aside of that sign-in, in the default folder too [F-S6]", async () => {
  const name = cacheFileName(exampleKey("one"));
  const other = cacheFileName(exampleKey("two"));
  for (const each of [name, other]) {
    plant(join(folder, each), '{"latchkey":1,"records":[{"refreshToken":"cut');
    await inFolder().list();
  }
  await forget(inFolder(), "one");
  const left = readdirSync(folder).filter((each) => each.includes(".damaged-"));
  expect(left.map((each) => each.slice(0, 37))).toEqual([other]);
});

test("what was set aside without a key that can be told goes with any logout of its file [F-S6]", async () => {
  plant(file, '{"latchkey":1,"records":[{"refreshToken":"cut');
  expect(await inFile().list()).toEqual([]);
  await forget(inFile(), "one");
  expect(readdirSync(shared)).toEqual([]);
});

test.each(["folder", "file"] as const)(
  "logout --all takes all that was set aside and left behind: one %s [F-S6]",
  async (kind) => {
    const name = cacheFileName(exampleKey("one"));
    const place = kind === "folder" ? folder : shared;
    const path = kind === "folder" ? join(folder, name) : file;
    const aside = (digit: string): string => `${path}.damaged-20260101T000000Z-0000000${digit}`;
    plant(aside("1"), formatCacheFile([broken("one")]));
    plant(aside("2"), "{");
    await (kind === "folder" ? inFolder() : inFile()).tidy?.();
    expect(readdirSync(place).filter((each) => each.includes("damaged"))).toEqual([]);
  },
);

test("the temporary file of a process that has ended goes, though the lock is not to be had [F-S6][F-D7]", async () => {
  const ended = 4_194_304 + 17;
  const maker = (processId: number): string =>
    join(
      shared,
      `.cache.json.latchkey-${String(processId)}-${processNamespace() ?? "0"}-0123456789abcdef.tmp`,
    );
  plant(maker(ended), "tokens of one that was killed");
  plant(maker(process.ppid), "a save under way");
  const never: ProcessLock = {
    acquire: () =>
      Promise.resolve({
        held: true,
        acrossProcesses: false,
        announce: () => undefined,
        finish: () => Promise.resolve(),
        abandon: () => Promise.resolve(),
      }),
    holder: () => Promise.resolve(undefined),
  };
  await forget(inFile(never), "one");
  expect(everything()).not.toContain("tokens of one that was killed");
  expect(everything()).toContain("a save under way");
});

test.each([
  ["a person's own notes", "Dear diary"],
  ["another program's JSON", '{"version":3,"entries":[]}'],
  ["another program's long file", `{"version":3,"entries":"${"x".repeat(maxCacheFileBytes)}"}`],
])(
  "%s at the path of the cache stay where they are: cache_unreadable [F-S13]",
  async (_what, content) => {
    plant(file, content);
    const store = inFile();
    const foreign = { code: "cache_unreadable", reason: "foreign_file" };
    await expect(store.list()).rejects.toMatchObject(foreign);
    await expect(store.read(exampleKey("one"))).rejects.toMatchObject(foreign);
    await expect(
      store.replace(exampleKey("one"), undefined, exampleRecord("one", "a.1")),
    ).rejects.toMatchObject(foreign);
    expect(readdirSync(shared)).toEqual(["cache.json"]);
    expect(readFileSync(file, "utf8") === content).toBe(true);
  },
);

test("a file of ours that something made too long is set aside [C08]", async () => {
  plant(file, formatCacheFile([{ long: "x".repeat(maxCacheFileBytes) }]));
  expect(await inFile().list()).toEqual([]);
  expect(readdirSync(shared)).toEqual([expect.stringMatching(/^cache\.json\.damaged-/)]);
});

test("no sign-in makes a shared file longer than is read: that one is not stored, and the others stay [F-S14]", async () => {
  const store = inFile();
  const tokens = Array.from({ length: 8 }, () => "t".repeat(120_000));
  const long = (clientId: string): ReturnType<typeof exampleRecord> =>
    exampleRecord(clientId, "a.1", {
      otherAccessTokens: tokens.map((token, index) => ({
        token,
        tokenType: "Bearer",
        scopes: [],
        issuedAt: 1,
        expiresAt: null,
        wanted: { scopes: [String(index)], resources: null },
      })),
    });
  const written = Array.from({ length: 17 }, (_, index) => `client-${String(index)}`);
  plant(file, formatCacheFile(written.map(long)));
  await expect(
    store.replace(exampleKey("another"), undefined, long("another")),
  ).rejects.toMatchObject({ code: "cache_write_failed", reason: "too_large" });
  expect((await recordsIn(inFile())).map((record) => record.clientId)).toEqual(written);
  // One alone must not take the room of all.
  const huge = exampleRecord("huge", "a.1", { subject: "s".repeat(4000) });
  huge.otherAccessTokens = Array.from({ length: 10 }, (_, index) => ({
    token: "t".repeat(120_000),
    tokenType: "Bearer",
    scopes: [],
    issuedAt: 1,
    expiresAt: null,
    wanted: { scopes: [String(index)], resources: null },
  }));
  await expect(store.replace(exampleKey("huge"), undefined, huge)).rejects.toMatchObject({
    reason: "unusable_record",
  });
});
