// The uses of the store that are interrupted, and what may be found on the disk afterwards. Changes when the store gets
// another use.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { SessionRecord, StoredRecord } from "../../src/record/format.ts";
import { cacheFileName } from "../../src/record/key.ts";
import { formatCacheFile } from "../../src/record/parse.ts";
import { readCacheFileSync } from "../../src/record/read-sync.ts";
import { isSealed } from "../../src/record/sealed.ts";
import { sealedValues } from "../../src/store/sealed-value.ts";
import type { FileCall } from "./fault-calls.ts";
import { faultKey, faultRecord, faultSealKey } from "./fault-record.ts";
import type { FaultCommand, FaultResult } from "./fault-worker.ts";

/** What the disk holds: all as it was before the command, or all as the command wants it. */
export type Found = "old" | "new";

/** A use of the store, and its judge. All paths lie below a folder that is empty at first. */
export interface Scene {
  readonly name: string;
  command(root: string): FaultCommand;
  prepare(root: string): void;
  /** What a process finds that knows nothing of the interrupted one. Throws where it is neither old nor new. */
  find(root: string): Found;
  /** The call with which the new state begins. */
  isCommit(call: FileCall): boolean;
  /** What the next process does, where this one was killed. Default: "save". */
  readonly next?: FaultCommand["work"];
  /** Throws where that has left something that it must not. Default: it leaves what it likes. */
  assertAfterwards?(root: string): void;
  /** Whether a command that ended without an error may leave this. Default: the new state alone. */
  maySucceedWith?(found: Found, result: FaultResult): boolean;
}

const lockIdBefore = "0123456789abcdef0123456789abcdef";
const temporaryName = /^\.[\w.-]+\.latchkey-(?:\d+-\d+-)?[0-9a-f]{16}\.tmp$/;

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
}

function putLockId(root: string): void {
  put(join(root, "state", "lock-id"), lockIdBefore);
}

/** The records of a file, whole: each must be one of the states that were ever written. */
function recordsOf(path: string): readonly SessionRecord[] {
  const read = readCacheFileSync(path);
  if (read.state === "absent") return [];
  if (read.state !== "records" || read.damaged.length > 0) {
    throw new Error(`${path}: ${read.state}`);
  }
  for (const record of read.records) {
    const clientId = record.clientId;
    if (!isDeepStrictEqual(record, faultRecord(clientId, record.renewedAt))) {
      throw new Error(`${path}: a mixture in the record of ${clientId}`);
    }
  }
  return read.records;
}

/** The states of all records of a file, in the order of the clients. */
export function statesOf(path: string): string {
  return recordsOf(path)
    .map((record) => `${record.clientId}:${record.renewedAt}`)
    .toSorted()
    .join(" ");
}

function oldOrNew(found: string, old: string, next: string): Found {
  if (found !== old && found !== next) throw new Error(`neither old nor new, but "${found}"`);
  return found === next ? "new" : "old";
}

function inOneFile(
  name: string,
  work: FaultCommand["work"],
  before: readonly SessionRecord[],
  after: string,
): Scene {
  const pathIn = (root: string): string => join(root, "cache.json");
  const states = before.map((record) => `${record.clientId}:${record.renewedAt}`).join(" ");
  return {
    name,
    command: (root) => ({
      work,
      location: { kind: "file", path: pathIn(root) },
      lockFolder: join(root, "state"),
      clientId: "one",
    }),
    prepare: (root) => {
      putLockId(root);
      put(pathIn(root), formatCacheFile(before));
    },
    find: (root) => oldOrNew(statesOf(pathIn(root)), states, after),
    isCommit: ({ name: call, paths }) =>
      (call.startsWith("rename") || call.startsWith("unlink")) &&
      paths.some((path) => path.endsWith("/cache.json")),
  };
}

const three = [faultRecord("one", 1), faultRecord("three", 1), faultRecord("two", 1)];
const fileNameOfOne = cacheFileName(faultKey("one"));

/** The default place: a file for each key. */
const inFolder: Scene = {
  name: "replaces the record of one key in the default folder",
  command: (root) => ({
    work: "save",
    location: { kind: "folder", folder: join(root, "state") },
    lockFolder: join(root, "state"),
    clientId: "one",
  }),
  prepare: (root) => {
    putLockId(root);
    put(join(root, "state", fileNameOfOne), formatCacheFile([faultRecord("one", 1)]));
    put(
      join(root, "state", cacheFileName(faultKey("two"))),
      formatCacheFile([faultRecord("two", 1)]),
    );
  },
  find: (root) => {
    if (statesOf(join(root, "state", cacheFileName(faultKey("two")))) !== "two:1") {
      throw new Error("the record of another key has changed");
    }
    return oldOrNew(statesOf(join(root, "state", fileNameOfOne)), "one:1", "one:2");
  },
  isCommit: ({ name }) => name.startsWith("rename"),
};

/** The first sign-in of all: nothing is there, not even the folders. */
const first: Scene = {
  name: "writes the first record, with its folders and the lock-id",
  command: (root) => ({
    work: "save",
    location: { kind: "file", path: join(root, "a", "b", "cache.json") },
    lockFolder: join(root, "state"),
    clientId: "one",
  }),
  prepare: () => undefined,
  find: (root) => oldOrNew(statesOf(join(root, "a", "b", "cache.json")), "", "one:2"),
  isCommit: ({ name }) => name.startsWith("rename"),
};

const damaged = `{"latchkey":1,"records":[{"key":"SECRET-torn`;

/** Where the bytes of a damaged file are now: it may be set aside, and never lost (C08). */
function assertKept(root: string, bytes: string): void {
  const files = filesBelow(root).filter((path) => readFileSync(path, "utf8") === bytes);
  if (files.length === 0) throw new Error("the damaged file is lost");
}

function ofDamagedFile(name: string, work: "read" | "save"): Scene {
  const pathIn = (root: string): string => join(root, "cache.json");
  return {
    ...inOneFile(name, work, [], work === "save" ? "one:2" : ""),
    prepare: (root) => {
      putLockId(root);
      put(pathIn(root), damaged);
    },
    find: (root) => {
      assertKept(root, damaged);
      if (readCacheFileSync(pathIn(root)).state === "damaged") return "old";
      if (work === "read") return "new";
      return oldOrNew(statesOf(pathIn(root)), "", "one:2");
    },
    isCommit: ({ name: call, paths }) =>
      call.startsWith("rename") &&
      (work === "read" ? paths[0] : paths[1])?.endsWith("/cache.json") === true,
    // A damaged file that cannot be moved away counts as absent, with a warning that says so.
    maySucceedWith: (found, { warnings }) =>
      found === "new" || (work === "read" && warnings.some((text) => text.includes("damaged"))),
  };
}

const tornRecord = { key: "SECRET-torn" };
const halfDamaged = JSON.stringify({ latchkey: 1, records: [faultRecord("one", 1), tornRecord] });

/** The damaged record is in the file or beside it, and no good one lies beside the file. */
function assertRecordKept(path: string): void {
  const isKept = filesBelow(dirname(path))
    .filter((each) => each.startsWith(`${path}.damaged-`))
    .map((each) => {
      const content = readFileSync(each, "utf8");
      if (content !== formatCacheFile([tornRecord])) throw new Error(`${each}: ${content}`);
      return true;
    })
    .includes(true);
  if (!isKept && readFileSync(path, "utf8") !== halfDamaged) {
    throw new Error("the damaged record is lost");
  }
}

const recordAside: Scene = {
  ...inOneFile("sets a damaged record of a file aside, and writes the others", "save", [], ""),
  prepare: (root) => {
    putLockId(root);
    put(join(root, "cache.json"), halfDamaged);
  },
  find: (root) => {
    assertRecordKept(join(root, "cache.json"));
    const read = readCacheFileSync(join(root, "cache.json"));
    if (read.state === "records" && read.damaged.length === 1) return "old";
    return oldOrNew(statesOf(join(root, "cache.json")), "one:1", "one:2");
  },
  isCommit: ({ name, paths }) =>
    name.startsWith("rename") && paths[1]?.endsWith("/cache.json") === true,
};

const lockId: Scene = {
  name: "makes the lock-id and takes a lock",
  command: (root) => ({
    work: "acquire",
    location: { kind: "folder", folder: join(root, "state") },
    lockFolder: join(root, "state"),
    clientId: "one",
  }),
  prepare: () => undefined,
  find: (root) => {
    const path = join(root, "state", "lock-id");
    const content = filesBelow(root).includes(path) ? readFileSync(path, "latin1") : "";
    if (!/^[0-9a-f]*$/.test(content)) throw new Error(`the lock-id holds "${content}"`);
    return content.length >= 32 ? "new" : "old";
  },
  isCommit: ({ name }) => name === "write",
  // Without it the lock holds in one process alone, which is said (docs/lock/protocol.md, step 1).
  maySucceedWith: (found, { warnings }) =>
    found === "new" || warnings.some((text) => text.startsWith("cache_write_failed")),
};

const sealed = sealedValues([faultSealKey]);

/** The record in both of its forms, whatever its version. */
function formOf(path: string): "plain" | "sealed" {
  const { records } = JSON.parse(readFileSync(path, "utf8")) as { records: StoredRecord[] };
  const [stored] = records;
  if (records.length !== 1 || stored === undefined) throw new Error(`${path}: not one record`);
  const form = isSealed(stored) ? "sealed" : "plain";
  let record = stored;
  if (isSealed(stored)) {
    const place = JSON.stringify(["record", stored.key, stored.version]);
    const opened = sealed.open(stored.sealed, place);
    if (opened.state !== "open") throw new Error(`${path}: sealed, and ${opened.state}`);
    record = JSON.parse(opened.text) as SessionRecord;
  }
  const { version } = record;
  if (!isDeepStrictEqual(record, { ...faultRecord("one", 1), version })) {
    throw new Error(`${path}: a mixture`);
  }
  return form;
}

/** A record on its way from one form into the other: the sign-in is there in one of them at every instant. */
function moved(work: "seal" | "unseal"): Scene {
  const pathIn = (root: string): string => join(root, "state", fileNameOfOne);
  const [before, after] = work === "seal" ? ["plain", "sealed"] : ["sealed", "plain"];
  return {
    name: work === "seal" ? "seals the record of one key" : "brings a sealed record back",
    command: (root) => ({ ...inFolder.command(root), work }),
    prepare: (root) => {
      putLockId(root);
      const record = faultRecord("one", 1);
      const { key, version } = record;
      const place = JSON.stringify(["record", key, version]);
      const asSealed = { key, version, sealed: sealed.seal(JSON.stringify(record), place) };
      put(pathIn(root), formatCacheFile([before === "plain" ? record : asSealed]));
    },
    find: (root) => oldOrNew(formOf(pathIn(root)), before ?? "", after ?? ""),
    isCommit: ({ name, paths }) =>
      name.startsWith("rename") && paths[1]?.endsWith(`/${fileNameOfOne}`) === true,
    next: work,
    assertAfterwards: (root) => {
      if (formOf(pathIn(root)) !== after) throw new Error("the next one has not moved it");
      const readable = filesBelow(root).filter((path) => readFileSync(path).includes("SECRET-"));
      const expected = after === "plain" ? [pathIn(root)] : [];
      if (!isDeepStrictEqual(readable, expected)) {
        throw new Error(`in plain text: ${readable.join()}`);
      }
    },
  };
}

function untouched(name: string, work: "read" | "list", location: "file" | "folder"): Scene {
  const base = location === "file" ? inOneFile(name, work, three, "") : inFolder;
  return {
    ...base,
    name,
    command: (root) => ({ ...base.command(root), work }),
    find: (root) => {
      if (base.find(root) !== "old") throw new Error("a reader has changed the record");
      return "old";
    },
    isCommit: () => false,
    maySucceedWith: (_found, { states }) => states.every((state) => state === 1),
  };
}

/** Every use that writes. */
export const writingScenes: readonly Scene[] = [
  inOneFile("replaces one of three records in a file", "save", three, "one:2 three:1 two:1"),
  inFolder,
  first,
  inOneFile("deletes the only record, and the file", "forget", [faultRecord("one", 1)], ""),
  inOneFile("deletes one of three records", "forget", three, "three:1 two:1"),
  ofDamagedFile("sets a damaged file aside and writes", "save"),
  ofDamagedFile("sets a damaged file aside when it is read", "read"),
  recordAside,
  lockId,
  moved("seal"),
  moved("unseal"),
];

/** Every use that only reads. */
export const readingScenes: readonly Scene[] = [
  untouched("reads a record of a file", "read", "file"),
  untouched("reads a record of the default folder", "read", "folder"),
  untouched("lists the default folder", "list", "folder"),
];

/** Every file below a folder. */
export function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => join(root, name))
    .filter((path) => lstatSync(path).isFile());
}

/** Temporary files that a process left. */
export function leftoversBelow(root: string): string[] {
  return filesBelow(root).filter((path) =>
    temporaryName.test(path.slice(dirname(path).length + 1)),
  );
}

function isOpenToOthers(path: string): boolean {
  return (lstatSync(path).mode & 0o077) !== 0;
}

/** A socket that has just been made, in a folder that is private: no number stands for it before it is private too. */
function isUnfinishedSocket(path: string): boolean {
  const stats = lstatSync(path);
  return (
    stats.isSocket() &&
    stats.nlink === 1 &&
    basename(path).startsWith("holder-") &&
    !isOpenToOthers(dirname(path))
  );
}

/** What others could read. */
export function openToOthersBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => join(root, name))
    .filter((path) => isOpenToOthers(path) && !isUnfinishedSocket(path));
}

/** Makes a folder as it is before the scene. */
export function setScene(scene: Scene, root: string): void {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true, force: true });
  chmodSync(root, 0o700);
  scene.prepare(root);
}
