// A browser that was started and does not come. Changes when a person is offered another way then.
import { expect, test } from "vitest";
import { pastedAddress, scene } from "../../test/support/terminal-scene.ts";

test("[F-T10] a browser that has not come: the countdown gives way to pasting", async () => {
  const on = scene();
  on.show({ browserOpened: true });
  on.show({ browserProblem: "nothing has opened so far" });
  expect(on.screen()).toContain("The browser has not opened the page so far.");
  expect(on.screen()).not.toContain("Waiting");
  on.stdin.type(`${pastedAddress}\r`);
  expect(on.pasted).toEqual([pastedAddress]);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(on.clock.sleeping).toBe(0);
});
