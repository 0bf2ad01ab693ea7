// A holder is killed a hundred times. What comes of it is asserted, how long it took is printed.
import { describe, expect, test } from "vitest";

import { useLockFolder } from "../../support/lock-folder.ts";
import type { LockEvent, LockProcess } from "../../support/lock-process.ts";

const rounds = 100;
const waitersAtOnce = 3;

const place = useLockFolder("lk-");

interface Contender {
  readonly lockProcess: LockProcess;
  readonly held: Promise<LockEvent>;
}

async function contend(): Promise<Contender> {
  const lockProcess = await place.start();
  lockProcess.tell({ do: "takeOver", name: "key" });
  const held = lockProcess.next("held", "shared", "rejected");
  // Who is killed while it waits has no outcome.
  held.catch(() => undefined);
  return { lockProcess, held };
}

async function winnerOf(contenders: readonly Contender[]): Promise<Contender> {
  const winner = await Promise.race(
    contenders.map(async (each) => {
      expect(await each.held).toEqual({ event: "held", acrossProcesses: true });
      return each;
    }),
  );
  return winner;
}

/** The others have heard that it is this one's now, and no other's. */
async function followed(others: readonly Contender[], holder: Contender): Promise<void> {
  const { processId } = holder.lockProcess;
  for (const { lockProcess } of others) {
    for (;;) {
      const heard = await lockProcess.next("waiting", "held", "rejected");
      expect(heard.event).toBe("waiting");
      if (heard["processId"] === processId) break;
    }
  }
}

function told(milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const worst = sorted.at(-1) ?? Number.NaN;
  return `lock: ${milliseconds.length} holders killed; the next held it after ${median.toFixed(1)} ms (median), ${worst.toFixed(1)} ms (worst)\n`;
}

describe.runIf(process.platform === "linux")("on Linux", () => {
  test(
    `of several waiters exactly one goes on after each of ${rounds} kills [R04]`,
    { timeout: 600_000 },
    async () => {
      let holder = await contend();
      await holder.held;
      let waiters: Contender[] = [];
      const took: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        while (waiters.length < waitersAtOnce) waiters.push(await contend());
        await followed(waiters, holder);
        const before = performance.now();
        holder.lockProcess.child.kill("SIGKILL");
        const next = await winnerOf(waiters);
        took.push(performance.now() - before);
        await holder.lockProcess.ended;
        holder = next;
        waiters = waiters.filter((each) => each !== next);
      }
      expect(took).toHaveLength(rounds);
      process.stdout.write(told(took));
    },
  );
});
