// Which keys serve, how long, and how often their issuer is asked.
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import { OidcError } from "../core/errors.ts";
import { ServingKeys } from "./serving-keys.ts";

const hour = 3600;
const published = (kid: string): object => ({
  ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }),
  kid,
});
const [one, two] = [published("one"), published("two")];

let clock: ManualClock;
let keys: readonly object[] | undefined;
let requests: number;
let serving: ServingKeys;
beforeEach(() => {
  clock = createManualClock();
  keys = [one];
  requests = 0;
  serving = new ServingKeys({
    clock,
    fetch: async () => {
      requests += 1;
      if (keys === undefined) throw new OidcError("network", "It cannot be reached.");
      return { document: { keys }, expiresAt: clock.now() / 1000 + hour };
    },
  });
});

const after = (seconds: number): Promise<void> => clock.advance(seconds * 1000);
/** What runs in the background has nothing to wait for here. */
const background = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const names = (list: readonly { readonly kid?: string }[] | undefined): unknown =>
  list?.map(({ kid }) => kid);

test("nothing is at hand before the first question, and nothing is asked by that", async () => {
  expect(serving.atHand()).toBeUndefined();
  expect(requests).toBe(0);
  expect(names(await serving.current())).toEqual(["one"]);
  expect(names(serving.atHand())).toEqual(["one"]);
  expect(requests).toBe(1);
});

describe("renewal", () => {
  test("[K09] is in the background, once, when three quarters of the time are over, and not before", async () => {
    await serving.current();
    await after(0.75 * hour - 1);
    await serving.current();
    serving.atHand();
    await background();
    expect(requests).toBe(1);
    await after(1);
    keys = [two];
    expect(names(serving.atHand())).toEqual(["one"]);
    expect(names(serving.atHand())).toEqual(["one"]);
    await background();
    expect([names(serving.atHand()), requests]).toEqual([["two"], 2]);
  });

  test("[K09] a remembered key has the set renewed as well, and a key that left it is not in it", async () => {
    const [key] = await serving.current();
    if (key === undefined) throw new Error("there is no key");
    expect(serving.has(key)).toBe(true);
    await after(0.8 * hour);
    keys = [two];
    expect(serving.has(key)).toBe(true);
    await background();
    expect(serving.has(key)).toBe(false);
  });
});

describe("an outage", () => {
  test("[K09] the keys at hand go on for a day after their time, and no longer", async () => {
    const [key] = await serving.current();
    if (key === undefined) throw new Error("there is no key");
    keys = undefined;
    await after(25 * hour - 1);
    expect([names(serving.atHand()), serving.has(key)]).toEqual([["one"], true]);
    expect(names(await serving.current())).toEqual(["one"]);
    await background();
    await after(1);
    expect([serving.atHand(), serving.has(key)]).toEqual([undefined, false]);
    await after(60);
    await expect(serving.current()).rejects.toMatchObject({ code: "network" });
  });

  test("[K09] an unknown key during it is the issuer's fault, and half a minute long it is not asked again", async () => {
    await serving.current();
    keys = undefined;
    await expect(serving.fetchAgain()).rejects.toMatchObject({ code: "network" });
    await after(10);
    await expect(serving.fetchAgain()).rejects.toMatchObject({ code: "network" });
    expect(requests).toBe(2);
    // Those who bring a known key do not notice.
    expect(names(await serving.current())).toEqual(["one"]);
    await after(21);
    keys = [one, two];
    expect(names(await serving.fetchAgain())).toEqual(["one", "two"]);
    expect(requests).toBe(3);
  });

  test("[K09] without any keys it is asked again after a second", async () => {
    keys = undefined;
    await expect(serving.current()).rejects.toMatchObject({ code: "network" });
    await expect(serving.current()).rejects.toMatchObject({ code: "network" });
    expect(requests).toBe(1);
    await after(1);
    keys = [one];
    expect(names(await serving.current())).toEqual(["one"]);
  });
});

test("[K08] a set without a usable key is asked for again, once in half a minute", async () => {
  keys = [];
  await serving.current();
  expect(serving.atHand()).toBeUndefined();
  await serving.current();
  await serving.current();
  expect(requests).toBe(2);
  keys = [one];
  await after(31);
  expect(names(await serving.current())).toEqual(["one"]);
});
