// Interleavings of real sessions over the store in Redis, of whom one stands still beyond its lease.
import { expect, test } from "vitest";
import { explore } from "./explore.ts";
import { fleets, runFleet } from "./fleet.ts";

test("a fleet, one of it stopped beyond its lease: nothing old over anything new, no request twice, every answer kept [R03][R06]", async () => {
  const met = await explore(fleets(), { runs: 200 }, runFleet);
  expect([...met]).toEqual(
    expect.arrayContaining([
      "refresh",
      "login",
      "killed",
      "sent again",
      "store_unavailable: lock_lost",
    ]),
  );
});

test("without the fence an earlier holder writes over a later one, and that is seen", async () => {
  const error: unknown = await explore(fleets({ hasFence: false }), { runs: 200 }, runFleet).catch(
    (failure: unknown) => failure,
  );
  expect(error).toMatchObject({
    cause: {
      message: expect.stringMatching(/takes? the place of a (?:later|newer) one/) as string,
    },
  });
});
