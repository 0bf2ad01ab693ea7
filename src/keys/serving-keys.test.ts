// Keys under a flood of tokens that were made up, through an outage, and as they come and go.
import { expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import { signingKey } from "../../test/support/token-issuer.ts";
import { OidcError } from "../core/errors.ts";
import { keySetCoolDownSeconds, maxStaleKeysSeconds } from "../core/limits.ts";
import { ServingKeys } from "./serving-keys.ts";

const [one, two, three] = ["one", "two", "three"].map((kid) => signingKey(kid).jwk);
const lifetimeSeconds = 3600;

interface Issuer {
  published: readonly unknown[];
  isDown: boolean;
  fetches: number;
}

function setUp(): { clock: ManualClock; issuer: Issuer; keys: ServingKeys } {
  const clock = createManualClock();
  const issuer: Issuer = { published: [one], isDown: false, fetches: 0 };
  const keys = new ServingKeys({
    clock,
    fetch: async () => {
      issuer.fetches += 1;
      if (issuer.isDown) throw new OidcError("network", "down", { reason: "refused" });
      const expiresAt = clock.now() / 1000 + lifetimeSeconds;
      return { document: { keys: issuer.published }, expiresAt };
    },
  });
  return { clock, issuer, keys };
}

async function has(keys: ServingKeys, kid: string): Promise<boolean> {
  const found = (list: readonly { readonly kid?: string | undefined }[]): boolean =>
    list.some((key) => key.kid === kid);
  return found(await keys.current()) || found(await keys.fetchAgain(undefined, kid));
}

test("[K08] 200 unknown keys a second for 10 s: two fetches, and a key that is new is taken with its second token", async () => {
  const { clock, issuer, keys } = setUp();
  await keys.current();
  issuer.fetches = 0;
  const taken: boolean[] = [];
  for (let index = 0; index < 2000; index += 1) {
    expect(await has(keys, `made-up-${String(index)}`)).toBe(false);
    expect(keys.atHand()?.[0]?.kid).toBe("one");
    if (index === 1000) issuer.published = [one, two];
    if (index === 1001 || index === 1150) taken.push(await has(keys, "two"));
    await clock.advance(5);
  }
  expect(taken).toEqual([false, true]);
  expect(issuer.fetches).toBe(2);
});

test("[K08] one name again and again is one fetch, and leaves the other to a key that is new", async () => {
  const { issuer, keys } = setUp();
  await keys.current();
  issuer.fetches = 0;
  for (let index = 0; index < 500; index += 1) await has(keys, "made-up");
  expect(issuer.fetches).toBe(1);
  issuer.published = [one, two];
  expect([await has(keys, "two"), await has(keys, "two")]).toEqual([false, true]);
  expect(issuer.fetches).toBe(2);
});

test("[K08] names that come twice get what is in reserve, and then one fetch in each cool-down", async () => {
  const { clock, issuer, keys } = setUp();
  await keys.current();
  issuer.fetches = 0;
  const fetches: number[] = [];
  for (let index = 0; index < 4; index += 1) {
    for (let name = 0; name < 50; name += 1) {
      await has(keys, `${String(index)}-${String(name)}`);
      await has(keys, `${String(index)}-${String(name)}`);
    }
    fetches.push(issuer.fetches);
    await clock.advance(keySetCoolDownSeconds * 1000);
  }
  expect(fetches).toEqual([2, 3, 4, 5]);
});

test("after a flood a key that is new is taken with its first token", async () => {
  const { clock, issuer, keys } = setUp();
  for (let index = 0; index < 100; index += 1) await has(keys, `made-up-${String(index)}`);
  await clock.advance(keySetCoolDownSeconds * 1000);
  issuer.published = [one, two];
  expect(await has(keys, "two")).toBe(true);
});

test("[K09] keys go on through an outage of a day, and not longer", async () => {
  const { clock, issuer, keys } = setUp();
  await keys.current();
  issuer.isDown = true;
  await clock.advance((lifetimeSeconds + maxStaleKeysSeconds - 1) * 1000);
  expect((await keys.current()).map(({ kid }) => kid)).toEqual(["one"]);
  await expect(keys.fetchAgain(undefined, "two")).rejects.toMatchObject({ code: "network" });
  await clock.advance(2000);
  expect(keys.atHand()).toBeUndefined();
  await expect(keys.current()).rejects.toMatchObject({ code: "network" });
});

test("[K09] a renewal in the background takes vanished keys out of use and new ones in", async () => {
  const { clock, issuer, keys } = setUp();
  const [first] = await keys.current();
  if (first === undefined) throw new Error("there is no key");
  expect(keys.has(first)).toBe(true);
  issuer.published = [two, three];
  await clock.advance(lifetimeSeconds * 750);
  // It is asked for while the old ones serve.
  expect(keys.atHand()?.map(({ kid }) => kid)).toEqual(["one"]);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(keys.atHand()?.map(({ kid }) => kid)).toEqual(["two", "three"]);
  expect(keys.has(first)).toBe(false);
});
