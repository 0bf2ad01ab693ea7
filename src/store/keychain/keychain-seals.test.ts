// The key in the keychain: made once, asked for at the right time, lost.
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";

import { waiting } from "../../testing/lock-suite.ts";
import { exampleKey, exampleRecord } from "../../testing/example-records.ts";
import { emptyFolder, failureOf, keychain, sealedIn, sealsOf, type Told } from "../testing.ts";

const key = exampleKey("one");
const first = exampleRecord("one", "a.1");
const second = exampleRecord("one", "a.2");

test("[C21] a key that is lost: said in words, set aside, and a new one is made", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  await sealedIn(folder, sealsOf(chain, folder)).replace(key, undefined, first);
  chain.secret = undefined;
  const told: Told = { warnings: [] };
  const store = sealedIn(folder, sealsOf(chain, folder), "sealed", told);
  expect(await store.read(key)).toBeUndefined();
  expect(told.warnings).toEqual([
    ["cache_damaged", expect.stringContaining("no longer in the keychain")],
  ]);
  await store.replace(key, undefined, second);
  expect([await store.read(key), chain.writes]).toEqual([second, 2]);
  await store.discard(key);
  expect(readdirSync(folder).filter((name) => /json/.test(name))).toEqual([]);
});

test("many programs at once make one key", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  const stores = Array.from({ length: 20 }, () => sealedIn(folder, sealsOf(chain, folder)));
  await Promise.all(
    stores.map((store, at) => {
      const name = `program-${String(at)}`;
      return store.replace(exampleKey(name), undefined, exampleRecord(name, `${name}.1`));
    }),
  );
  expect(chain.writes).toBe(1);
  const listed = await sealedIn(folder, sealsOf(chain, folder)).list();
  expect(listed).toHaveLength(20);
});

test("what the keychain holds under that name and is no key is not used, and stays", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  chain.secret = randomBytes(31);
  const store = sealedIn(folder, sealsOf(chain, folder));
  expect(await failureOf(store.replace(key, undefined, first))).toEqual([
    "keychain_unavailable",
    "foreign_entry",
  ]);
  expect([chain.secret.length, chain.writes]).toEqual([31, 0]);
});

test("the keychain is asked for while the browser is open, and again when the sign-in is kept", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  chain.isLocked = true;
  let asked = 0;
  const seals = sealsOf({ ...chain, read: (s) => ((asked += 1), chain.read(s)) }, folder);
  const store = sealedIn(folder, seals, "auto");
  const lease = await store.acquire(key, waiting());
  if (!lease.held) throw new Error("it is held");
  lease.announce("refresh");
  expect(asked).toBe(0);
  lease.announce("login");
  expect(asked).toBe(1);
  // Somebody unlocks it meanwhile.
  chain.isLocked = false;
  await store.replace(key, undefined, first);
  expect(await store.levelOf(key)).toBe("keychain");
  await lease.abandon();
});

test("a key that the keychain did not keep seals nothing", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  const forgetful = { ...chain, write: () => Promise.resolve() };
  const store = sealedIn(folder, sealsOf(forgetful, folder));
  expect(await failureOf(store.replace(key, undefined, first))).toEqual([
    "keychain_unavailable",
    "failed",
  ]);
  expect(readdirSync(folder).filter((name) => /json/.test(name))).toEqual([]);
});

test("a record that another program has sealed with a newer key of the keychain opens", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  const store = sealedIn(folder, sealsOf(chain, folder));
  await store.replace(key, undefined, first);
  const two = exampleRecord("two", "b.1");
  chain.secret = randomBytes(32);
  await sealedIn(folder, sealsOf(chain, folder)).replace(two.key, undefined, two);
  expect(await store.read(two.key)).toEqual(two);
});

test("the keychain is asked for once while a browser is open", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  let asked = 0;
  chain.secret = randomBytes(32);
  const seals = sealsOf({ ...chain, read: (s) => ((asked += 1), chain.read(s)) }, folder);
  seals.prepare();
  seals.prepare();
  await seals.values();
  expect(asked).toBe(1);
});
