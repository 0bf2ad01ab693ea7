// Interleavings of the real session in several programs, chosen at random and repeatable by seed.
import { expect, test } from "vitest";
import { explore } from "./explore.ts";
import { duels, scenarios } from "./scenario.ts";

test("one host, nothing goes wrong: one refresh at a time, and everybody gets a living token [R01][R02][R15]", async () => {
  const met = await explore(scenarios({ hosts: 1, faults: false }), { runs: 100 });
  expect([...met]).toEqual(expect.arrayContaining(["refresh", "login", "cache", "last: refresh"]));
});

test("one host, and programs die, abort, log out, and answers are lost [R03][R04][R06][R07][R08]", async () => {
  const met = await explore(scenarios({ hosts: 1, faults: true }), { runs: 300 });
  expect([...met]).toEqual(
    expect.arrayContaining([
      "refresh",
      "killed",
      "aborted",
      "logged out",
      "login_required: refresh_lost",
      "login_required: refresh_refused",
      "last: refresh",
    ]),
  );
});

test("two hosts with one store: it is never damaged, and whatever happens a sign-in heals it [R03]", async () => {
  const met = await explore(scenarios({ hosts: 2, faults: true }), { runs: 150 });
  expect([...met]).toEqual(expect.arrayContaining(["refresh", "login_required: refresh_lost"]));
});

test("two hosts, a store that compares and swaps, quick answers: nobody has to sign in again [R03]", async () => {
  const met = await explore(scenarios({ hosts: 2, faults: false }), { runs: 100 });
  expect([...met]).toEqual(expect.arrayContaining(["refresh", "login", "cache"]));
});

test("two hosts that do not wait for each other: what came of either refresh is kept [R03][R06]", async () => {
  const met = await explore(duels(), { runs: 400 });
  expect([...met]).toEqual(expect.arrayContaining(["refresh", "login_required: refresh_lost"]));
});
