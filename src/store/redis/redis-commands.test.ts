// How often a command is tried.
import { expect, test } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { isErrorOf } from "../../core/errors.ts";
import { RedisCommands } from "./redis-commands.ts";

test.each([
  ["once where that is set", 1, 1],
  ["until its time is over", undefined, 6],
] as const)("a command to a server that is gone is tried %s", async (_name, maxTries, expected) => {
  const clock = createManualClock();
  let tries = 0;
  const commands = new RedisCommands({
    client: () => Promise.reject(new Error(`gone ${String((tries += 1))}`)),
    location: "here",
    clock,
    patienceMilliseconds: 500,
    maxTries,
  });
  const failed = commands.run({ keys: 1, text: "" }, ["key"], []).then(
    () => undefined,
    (error: unknown) => error,
  );
  await clock.nextSleep();
  if (maxTries === undefined) await clock.nextSleep();
  await clock.advance(500);
  expect(isErrorOf((await failed) as Error, "store_unavailable", "unreachable")).toBe(true);
  expect(tries).toBe(expected);
});
