// What the world of a configuration makes of an embedding program's functions.

import { expect, onTestFinished, test } from "vitest";
import { emit } from "../core/events.ts";
import { resolveOptions } from "../options/resolve.ts";
import { composeWorld } from "./compose.ts";

/** Rejections that nobody handles while the test runs: each would end a program. */
function unhandledRejections(): unknown[] {
  const seen: unknown[] = [];
  const before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => seen.push(reason));
  onTestFinished(() => {
    process.removeAllListeners("unhandledRejection");
    for (const listener of before) process.on("unhandledRejection", listener);
  });
  return seen;
}

test("a prompt handler or logger that fails, at once or later, breaks nothing", async () => {
  const unhandled = unhandledRejections();
  let called = 0;
  const atOnce = (): void => {
    called += 1;
    throw new Error("broken");
  };
  const later = async (): Promise<void> => {
    called += 1;
    await Promise.reject(new Error("broken later"));
  };
  for (const handler of [atOnce, later]) {
    const world = composeWorld(
      resolveOptions({ onPrompt: handler, logger: handler }, "interactive"),
    );
    world.prompt({ type: "settled" });
    emit(world.logger, "login.finished", { host: "id.example.com:443" });
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect([called, unhandled]).toEqual([4, []]);
});
