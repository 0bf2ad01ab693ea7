// So many at once, so many waiting, and no more.
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("work in turn: two at once, three waiting, the sixth not at all; a place that is free is used", async () => {
  const turns = new Turns(2, 3);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const work = (index: number) => (): Promise<number> => {
    started.push(index);
    return new Promise((resolve) => void ends.push(() => resolve(index)));
  };
  const runs = [0, 1, 2, 3, 4, 5].map((index) => turns.run(work(index)));
  expect(started).toEqual([0, 1]);
  expect(await runs[5]).toBeUndefined();
  ends[0]?.();
  expect(await runs[0]).toEqual({ result: 0 });
  await new Promise((resolve) => void setImmediate(resolve));
  expect(started).toEqual([0, 1, 2]);
  for (const end of ends) end();
  await Promise.all([runs[1], runs[2]]);
  await new Promise((resolve) => void setImmediate(resolve));
  for (const end of ends) end();
  expect(await Promise.all([runs[3], runs[4]])).toEqual([{ result: 3 }, { result: 4 }]);
  expect(await turns.run(() => Promise.resolve(6))).toEqual({ result: 6 });
});

test("work that fails gives its place on", async () => {
  const turns = new Turns(1, 1);
  const failing = turns.run(() => Promise.reject(new Error("a fault")));
  const next = turns.run(() => Promise.resolve("next"));
  await expect(failing).rejects.toThrow("a fault");
  expect(await next).toEqual({ result: "next" });
});

test("who gives up while it waits leaves at once, and a turn that is given back twice is one turn", async () => {
  const turns = new Turns(1);
  const release = await turns.take();
  const enough = new AbortController();
  const waiting = turns.take(enough.signal);
  const next = turns.take();
  enough.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(turns.take(enough.signal)).rejects.toThrow("enough");
  release?.();
  release?.();
  const last = await next;
  expect([last === undefined, turns.isIdle]).toEqual([false, false]);
  last?.();
  expect(turns.isIdle).toBe(true);
});
