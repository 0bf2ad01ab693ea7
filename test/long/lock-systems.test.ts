// The protocol between processes over the locks of macOS and Windows: there the system's own, on Linux what can stand in
// for them (testing.ts). Changes when a system's lock does.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { useLockFolder } from "../support/lock-folder.ts";

const failure = {
  kind: "failed",
  error: { code: "access_denied", message: "Sign-in was refused." },
} as const;

// A short name: the path of a socket has 104 characters on macOS.
const place = useLockFolder("lk-");

const isLinux = process.platform === "linux";

describe("the lock of", () => {
  describe.each(isLinux ? ["darwin", "darwin-silent", "win32"] : ["this system"])(
    "%s",
    (system) => {
      test("6 processes hold the lock strictly one after the other", async () => {
        const sideFile = join(place.folder, "..", "side");
        const processes = await place.startMany(6, { system });
        for (const one of processes) one.tell({ do: "takeTurns", name: "key", sideFile, times: 2 });
        for (const one of processes) {
          expect(await one.next("turnsTaken", "rejected")).toEqual({ event: "turnsTaken" });
        }
        expect(existsSync(sideFile)).toBe(false);
      });

      test("a holder that was killed frees the lock, for exactly one", async () => {
        const [holder, ...waiters] = await place.startMany(6, { system });
        holder?.tell({ do: "acquire", name: "key" });
        await holder?.next("held");
        for (const waiter of waiters) waiter.tell({ do: "takeOver", name: "key" });
        if (system !== "darwin-silent") for (const waiter of waiters) await waiter.next("waiting");
        holder?.child.kill("SIGKILL");
        expect(await Promise.any(waiters.map((waiter) => waiter.next("held")))).toMatchObject({
          event: "held",
          acrossProcesses: true,
        });
        const [onlooker] = await place.startMany(1, { system, speed: 20 });
        onlooker?.tell({ do: "acquire", name: "key", longestWorkSeconds: 1 });
        expect(await onlooker?.next("rejected", "held")).toMatchObject({ code: "cache_locked" });
      });
    },
  );

  describe.each(isLinux ? ["darwin", "win32"] : ["this system"])(
    "%s, where the holder can be reached",
    (system) => {
      test("10 waiting processes are told the outcome, even when the holder leaves right after it", async () => {
        const [holder, ...waiters] = await place.startMany(11, { system });
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
          const [holder, waiter] = await place.startMany(2, { system });
          holder?.tell({ do: "acquire", name: "key" });
          await holder?.next("held");
          waiter?.tell({ do: "acquire", name: "key" });
          await waiter?.next("waiting");
          waiter?.child.kill("SIGSTOP");
          holder?.tell({ do: "finish", outcome: failure });
          // Nothing else keeps the holder alive, and yet it goes on after its `finish`.
          holder?.release();
          await holder?.next("finished");
          const [next] = await place.startMany(1, { system });
          next?.tell({ do: "acquire", name: "key" });
          expect(await next?.next("held", "waiting", "rejected")).toMatchObject({ event: "held" });
          waiter?.child.kill("SIGCONT");
        },
      );
    },
  );
});
