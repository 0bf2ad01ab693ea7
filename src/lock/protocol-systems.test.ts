// The protocol between processes over the locks of macOS and Windows: there the system's own, on Linux what can stand in
// for them (testing.ts). Changes when a system's lock does.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { bundleModule } from "../../test/support/bundle-module.ts";
import { startLockProcess } from "../../test/support/lock-process.ts";
import type { LockProcess } from "../../test/support/lock-process.ts";

const failure = {
  kind: "failed",
  error: { code: "access_denied", message: "Sign-in was refused." },
} as const;

let worker = "";
let folder = "";
let started: LockProcess[] = [];

beforeAll(async () => {
  worker = await bundleModule(
    fileURLToPath(new URL("../../test/support/lock-worker.ts", import.meta.url)),
  );
});

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "lk-")), "state");
});

afterEach(async () => {
  for (const one of started) one.child.kill("SIGKILL");
  await Promise.all(started.map((one) => one.ended));
  started = [];
  await rm(join(folder, ".."), { recursive: true, force: true });
});

async function startMany(system: string, count: number, speed = 1): Promise<LockProcess[]> {
  const processes = await Promise.all(
    Array.from({ length: count }, () => startLockProcess(worker, folder, speed, system)),
  );
  started.push(...processes);
  return processes;
}

const isLinux = process.platform === "linux";

describe("the lock of", () => {
  describe.each(isLinux ? ["darwin", "darwin-silent", "win32"] : ["this system"])(
    "%s",
    (system) => {
      test("6 processes hold the lock strictly one after the other", async () => {
        const sideFile = join(folder, "..", "side");
        const processes = await startMany(system, 6);
        for (const one of processes) one.tell({ do: "takeTurns", name: "key", sideFile, times: 2 });
        for (const one of processes) {
          expect(await one.next("turnsTaken", "rejected")).toEqual({ event: "turnsTaken" });
        }
        expect(existsSync(sideFile)).toBe(false);
      });

      test("a holder that was killed frees the lock, for exactly one", async () => {
        const [holder, ...waiters] = await startMany(system, 6);
        holder?.tell({ do: "acquire", name: "key" });
        await holder?.next("held");
        for (const waiter of waiters) waiter.tell({ do: "takeOver", name: "key" });
        if (system !== "darwin-silent") for (const waiter of waiters) await waiter.next("waiting");
        holder?.child.kill("SIGKILL");
        expect(await Promise.any(waiters.map((waiter) => waiter.next("held")))).toMatchObject({
          event: "held",
          acrossProcesses: true,
        });
        const [onlooker] = await startMany(system, 1, 20);
        onlooker?.tell({ do: "acquire", name: "key", longestWorkSeconds: 1 });
        expect(await onlooker?.next("rejected", "held")).toMatchObject({ code: "cache_locked" });
      });
    },
  );

  describe.each(isLinux ? ["darwin", "win32"] : ["this system"])(
    "%s, where the holder can be reached",
    (system) => {
      test("10 waiting processes are told the outcome, even when the holder leaves right after it", async () => {
        const [holder, ...waiters] = await startMany(system, 11);
        holder?.tell({ do: "acquire", name: "key" });
        await holder?.next("held");
        for (const waiter of waiters) waiter.tell({ do: "acquire", name: "key" });
        for (const waiter of waiters) {
          expect(await waiter.next("waiting", "held")).toMatchObject({
            event: "waiting",
            processId: holder?.processId,
          });
        }
        holder?.tell({ do: "finishAndExit", outcome: failure });
        for (const waiter of waiters) {
          expect(await waiter.next("shared", "held", "rejected")).toEqual({
            event: "shared",
            outcome: failure,
          });
        }
        expect(await holder?.ended).toBe(0);
      });

      test.skipIf(process.platform === "win32")(
        "a visitor that never leaves does not keep the lock taken",
        async () => {
          const [holder, waiter] = await startMany(system, 2);
          holder?.tell({ do: "acquire", name: "key" });
          await holder?.next("held");
          waiter?.tell({ do: "acquire", name: "key" });
          await waiter?.next("waiting");
          waiter?.child.kill("SIGSTOP");
          holder?.tell({ do: "finish", outcome: failure });
          // Nothing else keeps the holder alive, and yet it goes on after its `finish`.
          holder?.release();
          await holder?.next("finished");
          const [next] = await startMany(system, 1);
          next?.tell({ do: "acquire", name: "key" });
          expect(await next?.next("held", "waiting", "rejected")).toMatchObject({ event: "held" });
          waiter?.child.kill("SIGCONT");
        },
      );
    },
  );
});
