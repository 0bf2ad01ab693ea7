// A process that uses the file store as it is told to, one command a line. Changes when a test of faults needs another
// use of the store. Bundled and run by fault-process.ts.
import { randomBytes } from "node:crypto";
import { promises as disk, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

import { systemClock } from "../../src/core/clock.ts";
import { isOidcError } from "../../src/core/errors.ts";
import { createProcessLock } from "../../src/lock/protocol.ts";
import type { FileStoreLocation } from "../../src/store/file-store.ts";
import { createFileStore } from "../../src/store/file-store.ts";
import type { FileTokenStore } from "../../src/store/file-store.ts";
import { moveRecords } from "../../src/store/move-records.ts";
import type { RecordSeals } from "../../src/store/sealed-store.ts";
import { createSeals } from "../../src/store/seals.ts";
import { faultKey, faultRecord, faultSealKey } from "./fault-record.ts";
import type { SessionRecord } from "../../src/record/format.ts";
import { recordsIn } from "../../src/session/record-repository.ts";
import type { Warn } from "../../src/core/warning.ts";
import { worded } from "../../src/core/wording.ts";

/** One use of the store: what a session does with it. */
export interface FaultCommand {
  /**
   * "save": read, then replace the client's record by its state 2. "forget": read, then delete. "acquire": take the
   * lock of the client's record and give it back. "seal" and "unseal": move the client's record into the sealed form, and
   * back.
   */
  readonly work: "read" | "list" | "save" | "forget" | "acquire" | "seal" | "unseal";
  readonly location: FileStoreLocation;
  readonly lockFolder: string;
  readonly clientId: string;
  /** Default 0. A successor has other names for its temporary files than the one that was killed. */
  readonly randomSeed?: number;
}

/** How it ended, as the caller of the store sees it. */
export interface FaultResult {
  readonly outcome: "done" | "oidc_error" | "other_error";
  /** What was read, for "read" and "list": the states of the records. For "acquire": one where the lock was taken. */
  readonly states: readonly number[];
  readonly code: string;
  readonly reason: string;
  /** The whole error as a log would show it. */
  readonly text: string;
  readonly warnings: readonly string[];
}

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** The same names for temporary files in every run, so that a fault can be aimed at them. */
function countingBytes(seed: number): (length: number) => Uint8Array {
  let count = seed;
  return (length) => new Uint8Array(length).fill((count += 1));
}

type Work = (command: FaultCommand, store: FileTokenStore) => Promise<readonly number[]>;

const replace: Work = async ({ clientId, work }, store) => {
  const key = faultKey(clientId);
  const current = await store.read(key);
  const next = work === "save" ? faultRecord(clientId, 2) : undefined;
  const result = await store.replace(key, current?.version, next);
  if (!result.replaced) throw new Error("somebody else wrote");
  return [];
};

const freshSeals = (): RecordSeals => ({
  ...createSeals(faultSealKey, systemClock),
  level: "caller-key",
  place: "this test",
  otherKeyIs: "lost",
  prepare: () => undefined,
});

const move: Work = async ({ clientId, work }, files) => {
  const wish = { to: work === "seal" ? "sealed" : "plain", key: faultKey(clientId) } as const;
  const signal = AbortSignal.timeout(10_000);
  await moveRecords(wish, { files, seals: freshSeals(), freshSeals, signal });
  return [];
};

const works: Readonly<Record<FaultCommand["work"], Work>> = {
  read: async ({ clientId }, store) => {
    const record = (await store.read(faultKey(clientId))) as SessionRecord | undefined;
    return record === undefined ? [] : [record.renewedAt];
  },
  list: async (_command, store) => (await recordsIn(store)).map((record) => record.renewedAt),
  save: replace,
  forget: replace,
  seal: move,
  unseal: move,
  acquire: async ({ clientId }, store) => {
    const lease = await store.acquire(faultKey(clientId), {
      signal: AbortSignal.timeout(10_000),
      longestWorkSeconds: () => 5,
      waitForLogin: true,
      onWaiting: () => undefined,
    });
    if (!lease.held) return [];
    await lease.abandon();
    return [1];
  },
};

async function run(command: FaultCommand): Promise<FaultResult> {
  const warnings: string[] = [];
  const onWarning: Warn = (code, said) => void warnings.push(`${code}: ${worded(said)}`);
  const lock = createProcessLock({
    folder: command.lockFolder,
    clock: systemClock,
    randomBytes,
    onWarning,
  });
  const store = createFileStore({
    location: command.location,
    lock,
    clock: { ...systemClock, now: () => 1_700_000_000_000 },
    randomBytes: countingBytes(command.randomSeed ?? 0),
    onWarning,
  });
  const nothing = { states: [], code: "", reason: "", text: "", warnings };
  try {
    return { ...nothing, outcome: "done", states: await works[command.work](command, store) };
  } catch (error) {
    const text = error instanceof Error ? `${error.stack ?? ""}\n${String(error.cause)}` : "";
    if (!isOidcError(error)) return { ...nothing, outcome: "other_error", text };
    return {
      ...nothing,
      outcome: "oidc_error",
      code: error.code,
      reason: error.reason ?? "",
      text,
    };
  }
}

async function main(): Promise<void> {
  const threadsBefore = new Set(readdirSync("/proc/self/task"));
  // The first work of this kind starts the thread that does all of it (UV_THREADPOOL_SIZE=1).
  await disk.stat("/");
  const started = readdirSync("/proc/self/task").filter((thread) => !threadsBefore.has(thread));
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    void run(JSON.parse(line) as FaultCommand).then(say);
  });
  say({ poolThreads: started.map(Number) });
}

void main();
