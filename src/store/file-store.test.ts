// Changes when the layout of the cache files does.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { ProcessLock } from "../lock/protocol.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { cacheFileName } from "../record/key.ts";
import { formatCacheFile } from "../record/parse.ts";
import { waiting } from "../testing/lock-suite.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { testTokenStore } from "../testing/store-suite.ts";
import type { FileStoreLocation } from "./file-store.ts";
import { createFileStore } from "./file-store.ts";
import type { TokenStore } from "./token-store.ts";
import { worded } from "../core/wording.ts";

let scratch: string;
let folder: string;
let file: string;
let warnings: [code: string, message: string][];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-store-"));
  folder = join(scratch, "state", "latchkey");
  file = join(scratch, "custom", "cache.json");
  warnings = [];
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const lockIn = (place: string): ProcessLock =>
  createProcessLock({ folder: place, clock: systemClock, randomBytes });

function open(location: FileStoreLocation, lock: ProcessLock = lockIn(folder)): TokenStore {
  return createFileStore({
    location,
    lock,
    clock: systemClock,
    randomBytes,
    onWarning: (code, said) => warnings.push([code, worded(said)]),
  });
}

const openFolder = (lock?: ProcessLock): TokenStore => open({ kind: "folder", folder }, lock);
const openFile = (lock?: ProcessLock): TokenStore => open({ kind: "file", path: file }, lock);

const key = exampleKey("one");
const otherKey = exampleKey("two");
const fileOf = (each: string): string => join(folder, cacheFileName(each));

async function failureOf(work: Promise<unknown>): Promise<OidcError> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

async function plant(path: string, content: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
}

const setAsideIn = (place: string): string[] =>
  readdirSync(place).filter((name) => name.includes(".damaged-"));

testTokenStore({
  name: "file store in a folder",
  test,
  open: () => ({ store: openFolder(), sameStore: openFolder(), close: () => Promise.resolve() }),
});

testTokenStore({
  name: "file store in one file",
  test,
  open: () => ({ store: openFile(), sameStore: openFile(), close: () => Promise.resolve() }),
});

describe("a file store", () => {
  test("creates nothing before the first write or lock", async () => {
    const store = openFolder();
    expect(await store.read(key)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    const single = openFile();
    expect(await single.read(key)).toBeUndefined();
    expect(await single.list()).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("writes its folder 0700 and its files 0600, one for each key [C01]", async () => {
    const store = openFolder();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    await store.replace(otherKey, undefined, exampleRecord("two", "b.1"));
    expect(readdirSync(folder).toSorted()).toEqual(
      [cacheFileName(key), cacheFileName(otherKey), "lock-id", "locks"].toSorted(),
    );
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder).filter((each) => each !== "locks")) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("deletes a file with its last record, and only then [C13]", async () => {
    const store = openFile();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    await store.replace(otherKey, undefined, exampleRecord("two", "b.1"));
    await store.replace(key, "a.1", undefined);
    expect(existsSync(file)).toBe(true);
    await plant(join(scratch, "custom", ".cache.json.latchkey-0123456789abcdef.tmp"), "a token");
    await store.replace(otherKey, "b.1", undefined);
    expect(readdirSync(join(scratch, "custom"))).toEqual([]);
  });

  test("tidy: what programs that died while they saved have left goes, of one key or of all [C13][C14]", async () => {
    const store = openFolder();
    await store.tidy?.();
    await store.tidy?.(key);
    expect(existsSync(scratch) && readdirSync(scratch)).toEqual([]);
    const leave = async (name: string): Promise<string> => {
      await plant(join(folder, name), "a token");
      return name;
    };
    const of = (name: string): string => `.${name}.latchkey-0123456789abcdef.tmp`;
    await leave(of(cacheFileName(key)));
    await leave(of(cacheFileName(otherKey)));
    const others = [await leave(of("report.json")), await leave(`${of("a")}.txt`)];
    const here = (): string[] => readdirSync(folder).filter((name) => !name.startsWith("lock"));
    const noLock = {
      ...lockIn(folder),
      acquire: () => Promise.reject(new OidcError("cache_locked", "")),
    };
    await openFolder(noLock).tidy?.();
    expect(here()).toHaveLength(4);
    await store.tidy?.(key);
    expect(here().toSorted()).toEqual([of(cacheFileName(otherKey)), ...others].toSorted());
    await store.tidy?.();
    expect(here().toSorted()).toEqual(others.toSorted());
  });

  test("finds a record by its whole key where two keys share a file name", async () => {
    // As with a colliding hash: the file of one key holds another's record as well.
    const store = openFolder();
    await plant(fileOf(key), formatCacheFile([exampleRecord("two", "b.1")]));
    expect(await store.read(key)).toBeUndefined();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    expect((await store.read(key))?.version).toBe("a.1");
    expect(readFileSync(fileOf(key), "utf8")).toContain("refresh-of-b.1");
  });

  test("says where it is and how well it protects", () => {
    expect(openFolder()).toMatchObject({ level: "file-permissions", location: folder });
    expect(openFile()).toMatchObject({ level: "file-permissions", location: file });
  });

  test.each([
    ["a line break in a token", { refreshToken: "a\r\nb" }],
    ["a control character in a name", { subject: "a\u0000b" }],
    ["no instant", { renewedAt: Number.NaN }],
    ["another client than its key's", { clientId: "other" }],
  ])("writes no record that it could not read back: %s", async (_name, changes) => {
    const store = openFile();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    const failure = await failureOf(
      store.replace(key, "a.1", exampleRecord("one", "a.2", changes)),
    );
    expect(failure).toMatchObject({ code: "cache_write_failed", reason: "unusable_record" });
    expect((await store.read(key))?.version).toBe("a.1");
  });

  test("files no record under another's key", async () => {
    const record = exampleRecord("one", "a.1");
    await expect(openFile().replace(otherKey, undefined, record)).rejects.toBeInstanceOf(TypeError);
    expect(existsSync(file)).toBe(false);
  });
});

describe("what is insecure is neither read nor written [C02][C03]", () => {
  const attempts: [string, (store: TokenStore) => Promise<unknown>][] = [
    ["read", (store) => store.read(key)],
    ["replace", (store) => store.replace(key, "a.1", exampleRecord("one", "a.2"))],
    ["delete", (store) => store.replace(key, "a.1", undefined)],
  ];

  test.each(attempts)("%s: a file that is open to others", async (_name, attempt) => {
    const store = openFolder();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    const before = readFileSync(fileOf(key), "utf8");
    chmodSync(fileOf(key), 0o644);
    expect((await failureOf(attempt(store))).code).toBe("cache_insecure");
    expect(readFileSync(fileOf(key), "utf8")).toBe(before);
  });

  const folderAttempts: typeof attempts = [
    ...attempts,
    ["list", (store) => store.list()],
    ["acquire", (store) => store.acquire(key, waiting())],
  ];

  test.each(folderAttempts)("%s: a folder that is open to others", async (_name, attempt) => {
    const store = openFolder();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    chmodSync(folder, 0o755);
    expect((await failureOf(attempt(store))).code).toBe("cache_insecure");
  });

  test.each(attempts)("%s: a symbolic link", async (_name, attempt) => {
    const store = openFile();
    await plant(join(scratch, "custom", "target"), formatCacheFile([exampleRecord("one", "a.1")]));
    const before = readFileSync(join(scratch, "custom", "target"), "utf8");
    symlinkSync(join(scratch, "custom", "target"), file);
    expect((await failureOf(attempt(store))).code).toBe("cache_insecure");
    expect(readFileSync(join(scratch, "custom", "target"), "utf8")).toBe(before);
  });

  test("list: skips such a file with a warning and gives the others", async () => {
    const store = openFolder();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    await store.replace(otherKey, undefined, exampleRecord("two", "b.1"));
    chmodSync(fileOf(key), 0o644);
    expect((await store.list()).map((record) => record.version)).toEqual(["b.1"]);
    expect(warnings.map(([code]) => code)).toEqual(["cache_insecure"]);
  });
});

describe("a damaged file [C08]", () => {
  const cutOff = '{"latchkey":1,"rec';
  const damaged: [string, string][] = [
    ["empty", ""],
    ["cut off", formatCacheFile([exampleRecord("one", "a.1")]).slice(0, 50)],
    ["not JSON", "hello"],
    [
      "with a record edited by hand [C16]",
      formatCacheFile([exampleRecord("one", "a.1", { issuer: "https://evil.example" })]),
    ],
  ];

  test.each(damaged)("that is %s is a miss, set aside and said so", async (_name, content) => {
    const store = openFolder();
    await plant(fileOf(key), content);
    expect(await store.read(key)).toBeUndefined();
    const [name, ...more] = setAsideIn(folder);
    expect(more).toEqual([]);
    expect(name).toMatch(/^[0-9a-f]{32}\.json\.damaged-\d{8}T\d{6}Z-[0-9a-f]{8}$/);
    expect(readFileSync(join(folder, name ?? ""), "utf8")).toBe(content);
    expect(statSync(join(folder, name ?? "")).mode & 0o777).toBe(0o600);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.[0]).toBe("cache_damaged");
    expect(warnings[0]?.[1]).toContain(join(folder, name ?? ""));
    expect(warnings[0]?.[1]).not.toContain("token-of");
    expect(await store.read(key)).toBeUndefined();
    expect(warnings).toHaveLength(1);
  });

  test("is set aside before a write, never overwritten", async () => {
    const store = openFile();
    await plant(file, cutOff);
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    expect((await store.read(key))?.version).toBe("a.1");
    const [name] = setAsideIn(join(scratch, "custom"));
    expect(readFileSync(join(scratch, "custom", name ?? ""), "utf8")).toBe(cutOff);
    expect(warnings.map(([code]) => code)).toEqual(["cache_damaged"]);
  });

  test("is set aside once, however many find it", async () => {
    await plant(file, cutOff);
    const stores = Array.from({ length: 8 }, () => openFile());
    const found = await Promise.all(stores.map((store) => store.read(key)));
    expect(found.every((record) => record === undefined)).toBe(true);
    expect(setAsideIn(join(scratch, "custom"))).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  test("is not set aside once somebody has written a good one in its place", async () => {
    await plant(file, cutOff);
    const real = lockIn(folder);
    // While this process waits for the file's lock, another one sets the file aside and writes its own.
    const lock: ProcessLock = {
      acquire: (name, options) => {
        rmSync(file);
        writeFileSync(file, formatCacheFile([exampleRecord("one", "a.1")]), { mode: 0o600 });
        return real.acquire(name, options);
      },
      holder: (name) => real.holder(name),
    };
    expect((await openFile(lock).read(key))?.version).toBe("a.1");
    expect(setAsideIn(join(scratch, "custom"))).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("that cannot be moved is reported, and a write is refused rather than made over it", async () => {
    // A name so long that no longer one fits beside it.
    file = join(scratch, "custom", "c".repeat(250));
    const store = openFile();
    await plant(file, cutOff);
    expect(await store.read(key)).toBeUndefined();
    expect(warnings.map(([code]) => code)).toEqual(["cache_damaged"]);
    const failure = await failureOf(store.replace(key, undefined, exampleRecord("one", "a.1")));
    expect(failure.code).toBe("cache_write_failed");
    expect(readFileSync(file, "utf8")).toBe(cutOff);
  });

  test("with one damaged record keeps the others, and sets that one alone aside before it is written [F-S6]", async () => {
    const broken = { ...exampleRecord("two", "b.1"), version: 7 };
    const content = JSON.stringify({ latchkey: 1, records: [exampleRecord("one", "a.1"), broken] });
    const store = openFile();
    await plant(file, content);
    expect((await store.read(key))?.version).toBe("a.1");
    expect((await store.read(key))?.version).toBe("a.1");
    expect(await store.read(otherKey)).toBeUndefined();
    expect(warnings.map(([code]) => code)).toEqual(["cache_damaged"]);
    expect(setAsideIn(join(scratch, "custom"))).toEqual([]);
    await store.replace(key, "a.1", exampleRecord("one", "a.2"));
    const [copy] = setAsideIn(join(scratch, "custom"));
    const kept: unknown = JSON.parse(readFileSync(join(scratch, "custom", copy ?? ""), "utf8"));
    expect(kept).toEqual({ latchkey: 1, records: [broken] });
    expect((await store.list()).map((record) => record.version)).toEqual(["a.2"]);
  });
});

describe("a file of a later version [C10]", () => {
  const newer = '{"latchkey":2,"sessions":[]}';

  test("is a miss with one warning, is not written, and stays as it is", async () => {
    const store = openFolder();
    await plant(fileOf(key), newer);
    expect(await store.read(key)).toBeUndefined();
    expect(await store.read(key)).toBeUndefined();
    expect(warnings.map(([code]) => code)).toEqual(["cache_newer_schema"]);
    const failure = await failureOf(store.replace(key, undefined, exampleRecord("one", "a.1")));
    expect(failure).toMatchObject({ code: "cache_write_failed", reason: "newer_schema" });
    expect(readFileSync(fileOf(key), "utf8")).toBe(newer);
    expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toEqual([]);
  });
});

describe("list", () => {
  test("sets aside what is damaged, and skips what is not ours: other names, copies, folders", async () => {
    const store = openFolder();
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    const content = readFileSync(fileOf(key), "utf8");
    await plant(join(folder, cacheFileName(otherKey)), "{");
    await plant(join(folder, "notes.json"), "{");
    await plant(join(folder, `${cacheFileName(key)}.bak`), content);
    await plant(join(folder, `${"0".repeat(32)}.json`), content);
    await mkdir(join(folder, "sub.json"));
    expect((await store.list()).map((record) => record.version)).toEqual(["a.1"]);
    expect(warnings.map(([code]) => code)).toEqual(["cache_damaged"]);
    expect(setAsideIn(folder)).toHaveLength(1);
    expect(readFileSync(join(folder, "notes.json"), "utf8")).toBe("{");
  });
});
