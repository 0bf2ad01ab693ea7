// How checks are made: at once, each within its time, none able to end the others.
import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import { worded } from "../core/wording.ts";
import { ok, type Check, type Finding, type Scene } from "./check.ts";
import { examine } from "./examine.ts";

const scene = {} as Omit<Scene, "signal">;
const never = new AbortController().signal;

function check(name: string, run: Check["run"], maxSeconds = 30): Check {
  return { name, area: "machine", about: "", maxSeconds, run };
}

test("a check that fails with an error, or takes too long, is a finding, and the others go on", async () => {
  const aborted: boolean[] = [];
  const found = await examine(
    [
      check(
        "slow",
        ({ signal }) => {
          signal.addEventListener("abort", () => aborted.push(true));
          return new Promise(() => undefined);
        },
        0.01,
      ),
      check("error", () => Promise.reject(new OidcError("cache_unreadable", "It cannot be read."))),
      check("thrown", () => {
        throw new OidcError("cache_unreadable", "It cannot be read, either.");
      }),
      check("good", () => ok("All is well.")),
    ],
    scene,
    never,
  );
  expect(found.map(({ name, status }) => [name, status])).toEqual([
    ["slow", "failed"],
    ["error", "failed"],
    ["thrown", "failed"],
    ["good", "ok"],
  ]);
  expect(worded(found[0]?.said ?? "")).toContain("did not end within");
  expect(worded(found[1]?.said ?? "")).toContain("It cannot be read.");
  expect(aborted).toEqual([true]);
});

test("checks are made at once", async () => {
  let resolve: (finding: Finding) => void = () => undefined;
  const promise = new Promise<Finding>((settle) => {
    resolve = settle;
  });
  const found = await examine(
    [
      check("first", () => promise),
      check("second", () => {
        resolve(ok("second"));
        return ok("second");
      }),
    ],
    scene,
    never,
  );
  expect(found.map(({ status }) => status)).toEqual(["ok", "ok"]);
});

test("an interruption ends them", async () => {
  const interrupted = new OidcError("aborted", "Interrupted.");
  const signal = AbortSignal.abort(interrupted);
  const examined = examine([check("slow", () => new Promise(() => undefined))], scene, signal);
  await expect(examined).rejects.toBe(interrupted);
});
