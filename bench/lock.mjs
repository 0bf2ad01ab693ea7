// What the lock across processes costs: how soon the next goes on after its holder was killed, and how soon fifty
// waiters have the outcome. `node bench/lock.mjs [ROUNDS [WAITERS]]`; it needs no build.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { build } from "rolldown";

const [rounds, waiters] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 50)];
const workMilliseconds = 30;
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const worker = join(folder, "worker.mjs");
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

await build({
  input: fileURLToPath(new URL("../test/support/lock-worker.ts", import.meta.url)),
  platform: "node",
  logLevel: "silent",
  output: { file: worker, format: "esm", codeSplitting: false },
});

/** Starts a process that takes locks as it is told to. */
async function start() {
  const child = spawn(process.execPath, [worker, join(folder, "state"), "1"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stdin.on("error", () => undefined);
  const listeners = new Map();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line);
    for (const [listener, matches] of listeners) {
      if (!matches(event)) continue;
      listeners.delete(listener);
      listener(event);
    }
  });
  const one = {
    child,
    tell: (command) => child.stdin.write(`${JSON.stringify(command)}\n`),
    /** The next event that matches. */
    next: (matches) => new Promise((resolve) => listeners.set(resolve, matches)),
  };
  await one.next(({ event }) => event === "ready");
  return one;
}

function told(milliseconds) {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  return `${median.toFixed(1)} ms median, ${sorted.at(-1).toFixed(1)} ms worst of ${sorted.length}`;
}

/** From the kill of a holder to the moment at which this process has heard of the next. */
async function takeover(waiting) {
  const took = [];
  let holder = await start();
  const isHeld = ({ event }) => event === "held";
  const held = holder.next(isHeld);
  holder.tell({ do: "takeOver", name: "takeover" });
  await held;
  let others = [];
  for (let round = 0; round < rounds; round += 1) {
    while (others.length < waiting) {
      const one = await start();
      others.push({ one, held: one.next(isHeld) });
      const heard = one.next(({ event }) => event === "waiting");
      one.tell({ do: "takeOver", name: "takeover" });
      await heard;
    }
    const followed = others.map(({ one }) => one);
    const before = performance.now();
    holder.child.kill("SIGKILL");
    holder = await Promise.race(others.map(async (each) => each.held.then(() => each.one)));
    took.push(performance.now() - before);
    others = others.filter(({ one }) => one !== holder);
    // Not before all of them wait for the new holder is the next one killed.
    await Promise.all(followed.filter((one) => one !== holder).map((one) => askUntilWaiting(one)));
  }
  holder.child.kill("SIGKILL");
  for (const { one } of others) one.child.kill("SIGKILL");
  return took;
}

/** A look at the lock goes through the same event loop, after the wait for the new holder has begun. */
async function askUntilWaiting(one) {
  const looked = one.next(({ event }) => event === "inspected");
  one.tell({ do: "inspect", name: "takeover" });
  await looked;
}

/** From the start to the moment at which a waiter has the outcome, without the holder's own work: the median one, and the last. */
async function contention() {
  const took = { median: [], last: [] };
  const all = await Promise.all(Array.from({ length: waiters + 1 }, start));
  for (let round = 0; round < rounds; round += 1) {
    const name = `contention ${round}`;
    const outcome = { kind: "done", version: name };
    const before = performance.now();
    const ends = await Promise.all(
      all.map(async (one) => {
        const shared = one.next(({ event }) => event === "sharing");
        one.tell({ do: "share", name, workMilliseconds, outcome });
        const event = await shared;
        return { event, milliseconds: performance.now() - before - workMilliseconds };
      }),
    );
    if (ends.some(({ event }) => event.outcome?.version !== name)) {
      throw new Error(`round ${round}: not all were told the outcome`);
    }
    // A process that the machine lets run only after the work is over finds the lock free, and works itself: with a
    // store it would find the new record instead. Such a round says nothing of waiting.
    if (ends.filter(({ event }) => event.held).length !== 1) continue;
    const waits = ends
      .filter(({ event }) => !event.held)
      .map(({ milliseconds }) => milliseconds)
      .toSorted((one, other) => one - other);
    took.median.push(waits[Math.floor(waits.length / 2)]);
    took.last.push(waits.at(-1));
  }
  const ends = all.map(({ child }) => once(child, "exit"));
  for (const { child } of all) child.stdin.end();
  await Promise.all(ends);
  return took;
}

console.log(`${process.version}, ${process.platform}`);
console.log(`holder killed, 1 waiter: the next holds the lock after ${told(await takeover(1))}`);
console.log(`holder killed, 20 waiters: ${told(await takeover(20))}`);
const { median, last } = await contention();
console.log(
  `${waiters} waiters and ${workMilliseconds} ms of work: the median waiter has the outcome ${told(median)} beyond the work; the last one ${told(last)}`,
);
process.exit(0);
